from collections.abc import Mapping

import pytest

from pytest_benchdb.measure.distributed.ranks import HOST_ONCE, RankInfo, WorldRun, distributed_rows, rank_of, rank_tags
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.run import Measurement

TORCHRUN = {"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "TORCHELASTIC_RUN_ID": "job-7"}


def test_rank_of_torchruns_variables_is_reported() -> None:
    info = rank_of({**TORCHRUN, "HOME": "/root"})

    assert info == RankInfo(rank=3, world_size=4, local_rank=1, launch_id="job-7")


def test_rank_of_rank_without_local_rank_takes_its_rank() -> None:
    assert rank_of({"RANK": "0", "WORLD_SIZE": "1"}) == RankInfo(rank=0, world_size=1, local_rank=0)


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"RANK": "0"},
        {"WORLD_SIZE": "2"},
        {"RANK": "", "WORLD_SIZE": "2"},
        {"RANK": "captain", "WORLD_SIZE": "2"},
        {"RANK": "-1", "WORLD_SIZE": "2"},
        {"RANK": "2", "WORLD_SIZE": "2"},
        {"RANK": "0", "WORLD_SIZE": "0"},
        {"RANK": "²", "WORLD_SIZE": "4"},
    ],
    ids=str,
)
def test_rank_of_variables_of_somebody_else_is_none(environ: Mapping[str, str]) -> None:
    assert rank_of(environ) is None


def test_rank_tags_name_rank_world_and_launch() -> None:
    info = rank_of(TORCHRUN)

    assert info is not None
    assert rank_tags(info) == {"rank": "3", "world_size": "4", "launch": "job-7"}
    assert rank_tags(RankInfo(rank=0, world_size=1, local_rank=0)) == {"rank": "0", "world_size": "1"}


def rank_rows(
    step_s: list[float],
    *,
    batch: float | None = 10,
    phase: str | None = None,
    wall_s: float = 1.0,
    provenance: Provenance = "measured",
) -> list[Measurement]:
    """Measurements of one rank, as returned by `Rank.measurements`."""
    rows = [
        Measurement(metric="wall_time", unit="s", better="lower", value=wall_s, provenance=provenance),
        Measurement(
            metric="step_time", unit="s", better="lower", phase=phase, samples=step_s, provenance=provenance, method="m"
        ),
        Measurement(
            metric="wall_time", unit="s", better="lower", phase="forward", samples=step_s, provenance=provenance
        ),
    ]
    if batch is not None:
        rows.append(
            Measurement(
                metric="throughput",
                unit="1/s",
                better="higher",
                phase=phase,
                value=batch * len(step_s) / sum(step_s),
                provenance="derived" if provenance == "measured" else provenance,
            )
        )
    return rows


def by_key(worlds: list[WorldRun]) -> dict[tuple[str | None, str, int | None], Measurement]:
    rows = distributed_rows(worlds)
    whole = [row for row in rows if row.domain is None]
    found = {(row.phase, row.metric, row.rank): row for row in whole}
    assert len(found) == len(whole)
    return found


def test_rows_keep_those_of_every_rank() -> None:
    rows = by_key([WorldRun(world_size=2, by_rank=[rank_rows([1.0, 2.0]), rank_rows([3.0, 4.0])])])

    assert rows["world_2", "step_time", 0].samples == [1.0, 2.0]
    assert rows["world_2", "step_time", 1].samples == [3.0, 4.0]
    assert rows["world_2/forward", "wall_time", 1].samples == [3.0, 4.0]
    assert ("world_2/forward", "wall_time", None) not in rows


def test_rows_without_a_rank_are_those_of_the_critical_path() -> None:
    ranks = [rank_rows([1.0, 1.0], wall_s=9), rank_rows([0.5, 2.0], wall_s=3), rank_rows([1.0, 1.2], wall_s=5)]

    rows = by_key([WorldRun(world_size=3, by_rank=ranks)])

    steps = rows["world_3", "step_time", None]
    assert steps.samples == [1.0, 2.0]
    assert steps.method == "m; largest of 3 ranks in each step"
    assert steps.details == {"ranks": 3, "mean_by_rank_s": [1.0, 1.25, 1.1], "slowest_by_rank": [1, 1, 0]}
    assert rows["world_3", "wall_time", None].value == 9


def test_ranks_with_different_numbers_of_steps_have_no_critical_path() -> None:
    rows = by_key([WorldRun(world_size=2, by_rank=[rank_rows([1.0, 1.0]), rank_rows([1.0])])])

    for metric in ("step_time", "throughput"):
        row = rows["world_2", metric, None]
        assert (row.value, row.samples) == (None, None)
        assert row.reason == "the ranks counted different numbers of steps: 2, 1"


def energy(value: float | None, *, reason: str | None = None, window_j: float | None = None) -> list[Measurement]:
    details = {"window_j": window_j}
    about = {"pass_name": "energy", "reason": reason, "valid": reason is None}
    return [
        Measurement.of("energy", value=value, details=details, **about),
        Measurement.of("energy", value=value, domain="package-0", details=details, **about),
        *(Measurement.of(metric, value=value, **about) for metric in ("energy_per_step", "energy_per_sample")),
    ]


def test_energy_of_all_ranks_counts_each_counter_once() -> None:
    first = [*rank_rows([1.0, 1.0]), *energy(300.0, window_j=600.0)]
    other = [*rank_rows([1.0, 1.0]), *energy(None, reason=HOST_ONCE)]
    rows = by_key([WorldRun(world_size=2, by_rank=[first, other])])

    assert rows["world_2", "energy", None].value == 300.0
    assert rows["world_2", "energy_per_step", None].value == 300.0
    assert rows["world_2", "energy_per_sample", None].value == pytest.approx(600.0 / 40)


def test_energy_of_ranks_with_devices_of_their_own_is_the_sum() -> None:
    ranks = [[*rank_rows([1.0, 1.0]), *energy(value, window_j=2 * value)] for value in (300.0, 200.0)]
    rows = by_key([WorldRun(world_size=2, by_rank=ranks)])

    assert rows["world_2", "energy", None].value == 500.0
    assert rows["world_2", "energy_per_sample", None].value == pytest.approx(1000.0 / 40)


def test_energy_of_ranks_of_which_one_lacks_it_has_the_reason() -> None:
    ranks = [[*rank_rows([1.0]), *energy(3.0, window_j=3.0)], [*rank_rows([1.0]), *energy(None, reason="no counter")]]
    rows = by_key([WorldRun(world_size=2, by_rank=ranks)])

    assert (rows["world_2", "energy", None].value, rows["world_2", "energy", None].reason) == (None, "no counter")
    assert rows["world_2", "energy_per_sample", None].value is None


def test_peak_memory_of_a_world_is_its_largest() -> None:
    ranks = [[*rank_rows([1.0]), Measurement.of("peak_rss", value=value, method="m")] for value in (5.0, 9.0)]
    row = by_key([WorldRun(world_size=2, by_rank=ranks)])["world_2", "peak_rss", None]

    assert (row.value, row.method) == (9.0, "m; largest of 2 ranks")


def test_throughput_is_of_all_ranks_by_the_critical_path() -> None:
    rows = by_key([WorldRun(world_size=2, by_rank=[rank_rows([1.0, 1.0]), rank_rows([2.0, 2.0])])])

    throughput = rows["world_2", "throughput", None]
    assert throughput.value == pytest.approx(40 / 4)
    assert throughput.provenance == "derived"


def test_scaling_efficiency_is_the_share_of_one_rank_alone() -> None:
    alone = WorldRun(world_size=1, by_rank=[rank_rows([1.0, 1.0])])
    both = WorldRun(world_size=2, by_rank=[rank_rows([1.25, 1.25]), rank_rows([1.0, 1.0])])

    rows = by_key([both, alone])

    efficiency = rows["world_2", "scaling_efficiency", None]
    assert efficiency.value == pytest.approx(0.8)
    assert (efficiency.unit, efficiency.better, efficiency.provenance) == ("1", "higher", "derived")
    assert efficiency.method == "throughput of 2 ranks / (2 x throughput of one rank)"
    assert ("world_1", "scaling_efficiency", None) not in rows


def test_scaling_efficiency_of_a_loop_in_a_phase_keeps_the_phase() -> None:
    alone = WorldRun(world_size=1, by_rank=[rank_rows([1.0], phase="train")])
    both = WorldRun(world_size=2, by_rank=[rank_rows([2.0], phase="train")] * 2)

    rows = by_key([alone, both])

    assert rows["world_2/train", "scaling_efficiency", None].value == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("worlds", "reason"),
    [
        (
            [WorldRun(world_size=2, by_rank=[rank_rows([1.0])] * 2)],
            "no run with one rank to compare with; put 1 into world_sizes",
        ),
        (
            [WorldRun(world_size=1, reason="oom"), WorldRun(world_size=2, by_rank=[rank_rows([1.0])] * 2)],
            "the run with one rank failed: oom",
        ),
        (
            [WorldRun(world_size=1, by_rank=[rank_rows([1.0])]), WorldRun(world_size=2, reason="rank 1 died")],
            "rank 1 died",
        ),
        (
            [
                WorldRun(world_size=1, by_rank=[rank_rows([1.0], batch=None)]),
                WorldRun(world_size=2, by_rank=[rank_rows([1.0], batch=None)] * 2),
            ],
            "the run with one rank has no throughput; pass samples_per_step to steps()",
        ),
        (
            [
                WorldRun(world_size=1, by_rank=[rank_rows([1.0])]),
                WorldRun(world_size=2, by_rank=[rank_rows([1.0]), rank_rows([1.0], batch=None)]),
            ],
            "this run has no throughput; pass samples_per_step to steps()",
        ),
    ],
    ids=["no world of one", "world of one failed", "world failed", "no throughput", "a rank has no throughput"],
)
def test_scaling_efficiency_that_cannot_be_reported_has_a_reason(worlds: list[WorldRun], reason: str) -> None:
    efficiency = by_key(worlds)["world_2", "scaling_efficiency", None]

    assert efficiency.value is None
    assert efficiency.reason == reason


def test_failed_world_has_a_reason_and_no_value() -> None:
    rows = by_key([WorldRun(world_size=2, reason="rank 1 of 2 was killed by SIGKILL")])

    steps = rows["world_2", "step_time", None]
    assert (steps.samples, steps.value, steps.valid) == (None, None, False)
    assert steps.reason == "rank 1 of 2 was killed by SIGKILL"
    assert {metric for _, metric, _ in rows} == {"step_time", "scaling_efficiency"}


def test_rows_of_simulated_ranks_are_simulated() -> None:
    ranks = [rank_rows([1.0], provenance="simulated")] * 2

    rows = distributed_rows([WorldRun(world_size=1, by_rank=ranks[:1]), WorldRun(world_size=2, by_rank=ranks)])

    assert {row.provenance for row in rows} == {"simulated"}


def test_steps_that_a_rank_did_not_complete_give_no_slowest() -> None:
    broken = [Measurement(metric="step_time", unit="s", better="lower", reason="the loop ended after 0 of 3")]

    rows = by_key([WorldRun(world_size=2, by_rank=[rank_rows([1.0]), broken])])

    assert ("world_2", "step_time", None) not in rows
    assert rows["world_2", "step_time", 1].reason == "the loop ended after 0 of 3"
