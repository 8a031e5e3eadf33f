"""Compare `benchdb run` with hyperfine: do both see the same times, and what does the measuring itself cost?

    python benchmarks/adhoc_commands.py [ROUNDS [TURNS]]

Both tools time the same commands without a shell, in turns (benchdb, hyperfine, hyperfine, benchdb, ...). The ratio of
their medians is given per command with the range over the turns; what each tool adds to the shortest command is the
difference of the medians.
"""

import json
import math
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

COMMANDS = (
    "true",
    "python3 -I -S -c pass",
    "python3 -I -S -c 'sum(i * i for i in range(300000))'",
)
_Z95 = 1.96


def benchdb_s(command: str, rounds: int, folder: Path) -> list[float]:
    """Return the rounds of `benchdb run`, in seconds."""
    run = [sys.executable, "-m", "pytest_benchdb", "run", "-q", "-r", str(rounds), "-w", "3", "-d", str(folder / "db")]
    subprocess.run([*run, "-S", "none", command], check=True, stdout=subprocess.DEVNULL, cwd=folder)
    sql = (
        "SELECT unnest(samples) AS s FROM samples INNER JOIN run USING (run_id) "
        "WHERE metric = 'wall_time' AND run_id = (SELECT max(run_id) FROM run)"
    )
    query = [sys.executable, "-m", "pytest_benchdb", "query", "-d", str(folder / "db"), "-f", "json", sql]
    output = subprocess.run(query, check=True, capture_output=True, cwd=folder).stdout
    return [row["s"] for row in json.loads(output)["rows"]]


def hyperfine_s(command: str, rounds: int, folder: Path) -> list[float]:
    """Return the rounds of hyperfine, in seconds."""
    export = folder / "hyperfine.json"
    run = ["hyperfine", "-N", "-r", str(rounds), "-w", "3", "--style", "none", "--export-json", str(export), command]
    subprocess.run(run, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
    times: list[float] = json.loads(export.read_text())["results"][0]["times"]
    return times


def main(rounds: int = 200, turns: int = 6) -> None:
    """Measure and print a table."""
    tools = {"benchdb": benchdb_s, "hyperfine": hyperfine_s}
    with tempfile.TemporaryDirectory(prefix="benchdb-adhoc-") as name:
        for command in COMMANDS:
            medians: dict[str, list[float]] = {tool: [] for tool in tools}
            for turn in range(turns):
                for tool in sorted(tools, reverse=turn % 2 == 1):
                    medians[tool].append(statistics.median(tools[tool](command, rounds, Path(name))))
            logs = [math.log(own / other) for own, other in zip(*medians.values(), strict=True)]
            middle, error = statistics.fmean(logs), _Z95 * statistics.stdev(logs) / math.sqrt(turns)
            low, high = (math.exp(middle + sign * error) for sign in (-1, 1))
            own, other = (1e3 * statistics.median(values) for values in medians.values())
            figures = f"benchdb {own:8.3f} ms  hyperfine {other:8.3f} ms"
            print(f"{command:55} {figures}  ratio {math.exp(middle):.3f} ({low:.3f} to {high:.3f})")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
