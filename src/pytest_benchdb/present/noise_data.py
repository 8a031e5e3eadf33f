"""A machine's noise as data: one row for each series."""

from pytest_benchdb.present.document import DataTable
from pytest_benchdb.present.noise_document import NoiseRow, NoiseScore

NOISE_SCHEMA = "benchdb.noise/1"


def noise_table(score: NoiseScore) -> DataTable:
    """Return the score as rows of plain values; changes are shares, 0.05 is 5 %."""
    columns = (
        "fullname",
        "metric",
        "phase",
        "backend",
        "device",
        "unit",
        "sessions",
        "noise",
        "worst_session",
        *(f"detectable_{count}_per_side" for count in score.per_side),
        f"detectable_against_{score.history}",
        "sessions_per_side_needed",
        "causes",
        "wall_per_cpu",
        "round_s",
        "rounds",
    )
    facts = {
        "sources": list(score.sources),
        "machine": score.machine,
        "fingerprint": score.fingerprint,
        "sessions": score.sessions,
        "other_machines": score.other_machines,
        "commits": score.commits,
        "contended": score.contended,
        "change": score.change,
        "power": 0.8,
        "confidence": 0.99,
        "selection": score.selection,
    }
    rows = [_values(row, score) for row in score.rows]
    return DataTable(schema=NOISE_SCHEMA, columns=columns, rows=rows, facts=facts)


def _values(row: NoiseRow, score: NoiseScore) -> list[object]:
    key, noise = row.key, row.noise
    about: list[object] = [key.fullname, key.metric, key.phase, key.backend, key.device, row.unit, row.measured]
    if noise is None:
        found: list[object] = [None] * (4 + len(score.per_side)) + [[]]
    else:
        found = [noise.deviation, noise.worst, *(noise.detectable[count] for count in score.per_side)]
        found += [noise.detectable_by_history, noise.needed, list(noise.causes)]
    return [*about, *found, row.wall_per_cpu, row.round_s, row.rounds]
