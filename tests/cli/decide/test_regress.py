"""`benchdb regress` over real databases: statuses, sentences and formats, and every input that is no usual one."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from pytest_benchdb.cli.frame.failure import run
from pytest_benchdb.cli.main import cli
from pytest_benchdb.model.annotation import Acceptance
from pytest_benchdb.model.environment import CiJob, Commit
from pytest_benchdb.model.identity import uuid7
from pytest_benchdb.model.run import GATE_RULE_KEY, Measurement, Timing
from pytest_benchdb.operations.gate import confirm
from pytest_benchdb.operations.gate import run as operation
from pytest_benchdb.operations.pytest_run import Rerun
from pytest_benchdb.store.history.annotate import annotate
from pytest_benchdb.store.own_commands import OwnCommand
from pytest_benchdb.store.target import resolve

Call = Callable[..., Any]
NAMES = ("sort", "json", "regex", "lenient", "free")
RULES = {"lenient": {"max_regression": 0.5}, "free": {"gate": False}}
JITTER = (1.0, 1.004, 0.997, 1.002, 0.999, 1.003)
FULL = {name: f"tests/test_{name}.py::test_{name}" for name in NAMES}


@dataclass
class Ended:
    """What the command did."""

    status: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        return " ".join(self.out.rpartition("\n\n")[2].split())


@dataclass
class Gated:
    """A database, and the command over it."""

    folder: Path
    new_run: Call
    new_session: Call
    call: Callable[..., Ended]

    def runs(
        self, factors: dict[str, float], names: Sequence[str] = NAMES, session: int = 0, **changes: Any
    ) -> list[Any]:
        return [
            self.new_run(
                FULL.get(name, name),
                [1e-3 * factors.get(name, 1.0) * JITTER[session % 6] * one for one in (1.0, 1.01, 1.02, 1.05)],
                extra_info={GATE_RULE_KEY: RULES[name]} if name in RULES else None,
                **changes,
            )
            for name in names
        ]

    def record(self, at: int = 50, names: Sequence[str] = NAMES, *, session: Any = None, **factors: float) -> Any:
        return self.new_session(self.folder, self.runs(factors, names), at=at, **(session or {}))

    def __call__(self, *arguments: str) -> Ended:
        return self.call("regress", "--db", str(self.folder), *arguments)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, new_run: Call, new_session: Call) -> Path:
    """Return a folder of six sessions of the same speed; read-only by agreement."""
    gated = Gated(tmp_path_factory.mktemp("regress") / "results", new_run, new_session, lambda *_: Ended(0, "", ""))
    for number in range(6):
        new_session(gated.folder, gated.runs({}, session=number), at=number)
    return gated.folder


@pytest.fixture
def gated(
    recorded: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    new_run: Call,
    new_session: Call,
) -> Gated:
    """Return the database of six sessions, a copy to add to."""
    folder = tmp_path / "results"
    shutil.copytree(recorded, folder)
    monkeypatch.chdir(tmp_path)
    for name in ("BENCHDB_DB", "BENCHDB_DEBUG", "COLUMNS", "NO_COLOR", "FORCE_COLOR", "CI", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    def call(*arguments: str) -> Ended:
        with pytest.raises(SystemExit) as ended:
            run(cli, "benchdb", list(arguments))
        captured = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Ended(status=ended.value.code, out=captured.out, err=captured.err)

    return Gated(folder, new_run, new_session, call)


def test_unchanged_session_passes(gated: Gated) -> None:
    gated.record()

    ended = gated()

    assert ended.status == 0
    assert ended.sentence == "passed: 4 unchanged"


@pytest.mark.parametrize(("arguments", "status"), [((), 0), (("--strict",), 4)], ids=["", "strict"])
def test_limit_of_nothing_that_was_measured_is_a_warning_and_fails_a_strict_gate(
    gated: Gated, arguments: tuple[str, ...], status: int
) -> None:
    gated.record()

    ended = gated("--threshold", "time:5%", "--threshold", "cpu_time:5%", *arguments)

    assert ended.status == status
    assert "threshold 'cpu_time:5%' limits nothing that was measured in this session" in ended.out
    assert ended.sentence.startswith("undecided: threshold" if status else "passed: 4 unchanged")


def test_share_alone_is_a_limit_of_time(gated: Gated) -> None:
    gated.record(sort=1.2)

    ended = gated("--threshold", "5%")

    assert ended.status == 1
    assert "tests/test_sort.py::test_sort wall_time +19.9 % (limit 5 %)" in ended.sentence


def test_misspelt_metric_of_the_project_is_refused_unless_it_was_measured_once(gated: Gated) -> None:
    gated.record()

    (gated.folder.parent / "pyproject.toml").write_text('[tool.benchdb.thresholds]\n"*" = "wal_time:5%"\n')

    ended = gated()
    assert ended.status == 2
    assert "threshold 'wal_time:5%': no metric of this name; did you mean wall_time" in ended.err


def test_session_that_became_worse_fails_with_the_change_and_the_limit(gated: Gated) -> None:
    gated.record(sort=1.2, json=0.5)

    ended = gated()

    assert ended.status == 1
    assert "tests/test_sort.py::test_sort wall_time +19.9 %" in ended.sentence
    assert "(limit 5 %)" in ended.sentence
    assert "not confirmed: you did not record the session on this machine" in ended.sentence
    assert "not confirmed: --confirm 2 runs them again" in gated("--confirm", "0").sentence
    table = [line for line in ended.out.splitlines() if line.startswith("test_")]
    assert table[0].startswith("test_sort")
    assert table[1].startswith("test_json")
    assert "pytest tests/test_sort.py::test_sort --benchdb" in ended.out


def test_marker_lets_a_benchmark_become_worse(gated: Gated) -> None:
    gated.record(lenient=1.4, free=3.0)

    ended = gated("-v")

    assert ended.status == 0
    assert "regressed (not gated)" in ended.out


def test_marker_has_a_limit_too(gated: Gated) -> None:
    gated.record(lenient=1.7)

    assert gated().status == 1


@pytest.mark.parametrize(
    ("limits", "status"),
    [
        (["time:5%"], 1),
        (["time:25%"], 0),
        (["time:5.5%"], 1),
        (["wall_time:100us"], 1),
        (["wall_time:500us"], 0),
        (["time[name=test_json]:5%"], 0),
        (["time:50%", "time[file=tests/test_sort.py]:5%"], 1),
        (["memory:1%"], 0),
    ],
    ids=["share", "wide", "decimals", "quantity", "wide quantity", "filter of others", "filter", "other metric"],
)
def test_thresholds_decide_what_fails(gated: Gated, limits: list[str], status: int) -> None:
    gated.record(sort=1.2)

    assert gated(*[word for limit in limits for word in ("--threshold", limit)]).status == status


def test_globs_of_the_project_go_over_the_thresholds(gated: Gated, tmp_path: Path) -> None:
    gated.record(sort=1.2, json=1.2)
    (tmp_path / "pyproject.toml").write_text(
        '[tool.benchdb.thresholds]\n"*::test_sort" = "time:30%"\n"tests/test_json.py::*" = "off"\n'
    )

    assert gated("--threshold", "time:5%").status == 0


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--threshold", "time:five"], "threshold 'time:five'"),
        (["--threshold", "tiem:5%"], "threshold 'tiem:5%': no metric of this name; did you mean time?"),
        (["--threshold", "loss:5%"], "threshold 'loss:5%': no metric of this name; there are peak_rss, wall_time"),
        (["--threshold", "mean:5%"], "mean is a statistic, and a limit is of a metric; write time:5%"),
        (["--threshold", "time>500ms"], "threshold 'time>500ms': lower is better for time; write 'time<500ms'"),
        (["--threshold", "throughput<5/s"], "higher is better for throughput; write 'throughput>5/s'"),
        (["--threshold", "time<5%"], "threshold 'time<5%': a budget is a quantity, not a percentage"),
        (["--threshold", "time<500"], "threshold 'time<500': the limit has no unit"),
        (["--threshold", "time<"], "threshold 'time<': not of the form METRIC:LIMIT or METRIC<LIMIT"),
        (["--threshold", "median<5ms"], "median is a statistic, and a limit is of a metric; write time<5ms"),
        (["--threshold", "min:0.001"], "min is a statistic, and a limit is of a metric; write time:0.001s"),
        (["--baseline", "branch:none"], "branch:none"),
        (["--baseline", "no-such-word"], "'no-such-word'"),
        (["--baseline", ""], "SPEC"),
        (["no-such-session"], "'no-such-session'"),
        (["--allow", "none.toml"], "none.toml"),
        (["-w", "colour=red"], "colour"),
        (["-k", "sort and"], "-k"),
        (["--confirm", "-1"], "--confirm"),
        (["--fdr", "2"], "--fdr"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_wrong_usage_ends_with_two_and_says_what(gated: Gated, arguments: list[str], what: str) -> None:
    gated.record(sort=1.2)

    ended = gated(*arguments)

    assert ended.status == 2
    assert what in ended.err
    assert "Traceback" not in ended.err


def test_table_of_the_project_that_cannot_be_read_is_wrong_usage(gated: Gated, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.benchdb.thresholds]\n"*" = 5\n')

    ended = gated()

    assert ended.status == 2
    assert "pyproject.toml" in ended.err


def test_baseline_that_matches_two_things_is_wrong_usage(gated: Gated) -> None:
    for number, sha in enumerate(("abcdef01" + "0" * 32, "abcdef02" + "0" * 32)):
        gated.record(at=20 + number, session={"commit": Commit(sha=sha, branch="main", dirty=False)})
    gated.record(sort=1.2)

    ended = gated("--baseline", "abcdef")

    assert ended.status == 2
    assert "abcdef01" in ended.err
    assert "abcdef02" in ended.err


@pytest.mark.parametrize(("options", "status"), [([], 0), (["--require-baseline"], 3)], ids=["usual", "required"])
def test_one_session_has_nothing_to_be_compared_with(
    gated: Gated, tmp_path: Path, options: list[str], status: int
) -> None:
    gated.folder = tmp_path / "first"
    gated.record(sort=9.0)

    ended = gated(*options)

    assert ended.status == status
    assert "there is no earlier session yet" in ended.sentence


@pytest.mark.parametrize(("options", "status"), [([], 0), (["--require-baseline"], 3)], ids=["usual", "required"])
def test_few_sessions_are_learned_from_and_fail_nothing(
    gated: Gated, tmp_path: Path, options: list[str], status: int
) -> None:
    gated.folder = tmp_path / "young"
    for number in range(3):
        gated.record(at=number)
    gated.record(sort=9.0)

    ended = gated(*options)

    assert ended.status == status
    assert "3 of the 5 earlier sessions" in ended.sentence


def test_baseline_that_is_not_there_has_a_status_of_its_own_where_one_is_required(gated: Gated) -> None:
    ended = gated("--baseline", "branch:none", "--require-baseline")

    assert ended.status == 3
    assert "branch:none" in ended.sentence


@pytest.mark.parametrize(
    ("options", "status"),
    [([], 0), (["--require-baseline"], 3), (["--allow-cross"], 1)],
    ids=["usual", "required", "crossed"],
)
def test_other_machines_are_never_compared_silently(gated: Gated, options: list[str], status: int) -> None:
    gated.record(sort=1.2, session={"cpu": "Other CPU"})

    ended = gated(*options)

    assert ended.status == status
    if status != 1:
        assert "no earlier session of this machine" in ended.sentence


def test_benchmark_whose_code_changed_is_incomparable(gated: Gated) -> None:
    runs = gated.runs({"sort": 3.0}, ["sort", "json"])
    runs[0] = replace(runs[0], benchmark=replace(runs[0].benchmark, code_hash="other"))
    gated.new_session(gated.folder, runs, at=50)

    ended = gated("--missing", "ignore")

    assert ended.status == 0
    assert "1 incomparable" in ended.sentence
    assert "the benchmark's own code changed" in ended.out


@pytest.mark.parametrize(("rule", "status"), [("warn", 0), ("fail", 3), ("ignore", 0)])
def test_benchmark_that_was_renamed_is_missing_and_new(gated: Gated, rule: str, status: int) -> None:
    gated.record(names=["sort", "json", "lenient", "free", "tests/test_regex.py::test_regex_again"])

    ended = gated("--missing", rule, "-v")

    assert ended.status == status
    assert ("missing" in ended.out) is (rule != "ignore")
    assert "new (learning)" in ended.out


def test_benchmark_that_was_not_selected_is_not_missing(gated: Gated) -> None:
    gated.record(names=["sort"], session={"command": "pytest -k sort --benchdb"})

    ended = gated("--missing", "fail")

    assert ended.status == 0


def test_incomplete_session_misses_nothing(gated: Gated) -> None:
    gated.record(names=["sort"], session={"complete": False})

    assert gated("--missing", "fail").status == 0


def test_benchmark_that_failed_fails_the_gate(gated: Gated) -> None:
    gated.new_session(
        gated.folder,
        [
            *gated.runs({}, ["json"]),
            gated.new_run(FULL["sort"], None, outcome="failed", reason="AssertionError: 1 == 2"),
        ],
        at=50,
    )

    ended = gated("--missing", "ignore")

    assert ended.status == 1
    assert "tests/test_sort.py::test_sort error" in ended.sentence
    assert "AssertionError: 1 == 2" in ended.out


def test_values_that_never_vary_are_judged_by_the_limit_alone(gated: Gated, tmp_path: Path) -> None:
    gated.folder = tmp_path / "exact"
    for number in range(6):
        gated.new_session(gated.folder, [gated.new_run(FULL["sort"], [1e-3] * 4)], at=number)
    gated.new_session(gated.folder, [gated.new_run(FULL["sort"], [1.06e-3] * 4)], at=50)

    assert gated().status == 1
    assert gated("--threshold", "time:10%").status == 0


@pytest.mark.parametrize("options", [[], ["--strict"]], ids=["usual", "strict"])
def test_suite_that_became_slower_as_a_whole_is_undecided_and_never_passes(gated: Gated, options: list[str]) -> None:
    gated.record(sort=1.1, json=1.1, regex=1.1, lenient=1.1, free=1.1)

    ended = gated(*options)

    assert ended.status == 4
    assert ended.sentence.startswith("undecided: 100 % of the suite moved alike, by +9.9 %")
    assert "benchdb duet" in ended.sentence


@pytest.mark.parametrize("lenient", [1.002, 0.998])
def test_half_of_a_suite_that_doubled_fails_whatever_the_sign_of_the_rest(gated: Gated, lenient: float) -> None:
    gated.record(sort=2.0, json=2.0, regex=2.0, lenient=lenient, free=lenient)

    ended = gated()

    assert ended.status == 1
    assert ended.sentence.startswith("failed: 3 of 4 gated results")


def test_suite_that_takes_ten_times_as_long_fails(gated: Gated) -> None:
    gated.record(sort=10.0, json=10.0, regex=10.0, lenient=10.0, free=10.0)

    assert gated().status == 1


@pytest.mark.parametrize(("options", "status"), [([], 0), (["--strict"], 4)], ids=["usual", "strict"])
def test_session_that_was_disturbed_is_unstable(gated: Gated, options: list[str], status: int) -> None:
    gated.record(sort=1.2, session={"contended": True})

    ended = gated(*options)

    assert ended.status == status
    assert "disturbed" in ended.out


def test_one_session_is_judged_by_a_named_baseline(gated: Gated) -> None:
    for number in range(5):
        gated.record(at=20 + number, session={"label": "slow"}, sort=1.2)
    gated.record(sort=1.2)

    assert gated("--baseline", "label:slow").status == 0
    assert gated("--baseline", "latest~6").status == 1


@pytest.mark.parametrize(("spec", "sessions"), [("window:5", 5), ("branch:main~2", 1), ("latest~2", 1)])
def test_pinned_baseline_is_what_it_was_when_it_was_set(gated: Gated, spec: str, sessions: int) -> None:
    for number in range(10, 13):
        commit = Commit(sha=f"{number}" * 20, branch="main", dirty=False)
        gated.record(at=number, session={"commit": commit})
    assert gated.call("baseline", "set", "pinned", spec, "--db", str(gated.folder)).status == 0
    gated.record(at=40)
    gated.record(at=50)

    ended = gated("--baseline", "pinned", "--missing", "ignore", "-v")

    assert ended.status == 0
    assert f"baseline   pinned · {sessions} sessions" in ended.out or sessions == 1
    assert gated.call("report", "pinned", "--db", str(gated.folder)).status == 0


def test_sides_of_several_sessions_are_held_against_each_other(gated: Gated) -> None:
    for number in range(4):
        runs = gated.runs({"sort": 1.2}, session=number)
        gated.new_session(gated.folder, runs, at=50 + number, label="head")

    ended = gated("label:head", "--baseline", "window:6")

    assert ended.status == 1
    assert "4 sessions" in ended.out


def test_false_discovery_rate_is_a_filter_only_when_asked(gated: Gated) -> None:
    gated.record(sort=1.2)

    document = json.loads(gated("-f", "json").out)
    filtered = gated("--fdr", "0")

    assert all(row["q_value"] is not None for row in document["rows"] if row["policy"]["gated"])
    assert filtered.status == 0
    assert "above --fdr 0" in filtered.out


def test_metric_that_is_not_gated_warns_when_it_becomes_worse(gated: Gated, tmp_path: Path) -> None:
    gated.folder = tmp_path / "accuracy"
    for number in range(7):
        accuracy = 0.9 if number < 6 else 0.45
        measured = [
            Measurement.of("wall_time", round_ns=[1_000_000] * 4),
            Measurement(metric="accuracy", value=accuracy, unit="1", better="higher"),
        ]
        runs = [
            gated.new_run(FULL[name], measurements=measured, extra_info=extra)
            for name, extra in (("sort", None), ("free", {GATE_RULE_KEY: RULES["free"]}))
        ]
        gated.new_session(gated.folder, runs, at=number)

    usual, gating = gated(), gated("--threshold", "accuracy:5%")

    assert usual.status == 0
    assert "not gated, but worse in this session: tests/test_sort.py::test_sort accuracy -50.0 %" in usual.out
    assert "free" not in usual.out
    assert gating.status == 1
    assert "not gated, but" not in gating.out


def test_allow_file_lets_a_regression_pass_until_it_expires(gated: Gated, tmp_path: Path) -> None:
    gated.record(sort=1.2)
    entry = '[[allow]]\npattern = "*::test_sort"\nmetric = "time"\nreason = "new codec"\nexpires = {}\n'
    (tmp_path / "allow.toml").write_text(entry.format("2999-12-31"))
    (tmp_path / "old.toml").write_text(entry.format("2020-12-31"))

    passing, expired = gated("--allow", "allow.toml"), gated("--allow", "old.toml")

    assert passing.status == 0
    assert "1 of them accepted" in passing.sentence
    assert "new codec (allow.toml, entry 1, until 3000-01-01)" in passing.out
    assert expired.status == 1
    assert "no longer allowed since 2021-01-01" in expired.out


def _accept(gated: Gated, since: str, **values: Any) -> None:
    acceptance = Acceptance(
        acceptance_id=uuid7(),
        pattern="*::test_sort",
        reason="new codec",
        since_session_id=since,
        created_at="2026-11-21T08:00:00",
        **values,
    )
    annotate(resolve(str(gated.folder), gated.folder.parent), acceptance)


def test_accepted_level_passes_and_begins_a_new_history(gated: Gated) -> None:
    made = gated.record(at=20, sort=1.2)
    _accept(gated, made.session_id)

    accepted = gated()
    for at in range(21, 26):
        gated.record(at=at, sort=1.2)
    later = gated("-v")

    assert accepted.status == 0
    assert "new codec" in accepted.out
    assert later.status == 0
    assert later.sentence == "passed: 4 unchanged"


@pytest.mark.long
@pytest.mark.parametrize("after", ["next commit", "same commit", "merged", "after others on main"])
def test_accepted_change_passes_on_later_commits_and_branches(gated: Gated, after: str) -> None:
    ours = {"ci": CiJob(provider="github"), "commit": Commit(sha="a1" * 20, branch="codec", dirty=False)}
    main = {"ci": CiJob(provider="github"), "commit": Commit(sha="b2" * 20, branch="main", dirty=False)}
    for at in range(10, 16):
        gated.record(at=at, session={**main, "commit": Commit(sha=f"{at}" * 20, branch="main", dirty=False)})
    accepted = gated.record(at=20, sort=1.2, session=ours)
    _accept(gated, accepted.session_id)
    if after == "after others on main":
        gated.record(at=30, session={**main, "commit": Commit(sha="c3" * 20, branch="main", dirty=False)})
    next_commit = {**ours, "commit": Commit(sha="d4" * 20, branch="codec", dirty=False)}
    gated.record(at=40, sort=1.21, session={"next commit": next_commit, "same commit": ours}.get(after, main))

    passing = gated("--baseline", "branch:main")
    gated.record(at=50, sort=1.45, session=next_commit)
    second = gated("--baseline", "branch:main")

    assert passing.status == 0
    assert "1 of them accepted" in passing.sentence
    assert second.status == 1
    assert "test_sort" in second.sentence


@pytest.mark.parametrize(("expires", "status"), [("2999-12-31T00:00:00", 0), (None, 1)])
def test_change_accepted_on_another_machine_passes_until_the_acceptance_expires(
    gated: Gated, expires: str | None, status: int
) -> None:
    accepted = gated.record(at=20, sort=1.2, session={"cpu": "Other CPU"})
    _accept(gated, accepted.session_id, expires_at=expires)
    gated.record(at=40, sort=1.2)

    assert gated().status == status


class FakeRunner:
    """Stands for the processes of re-runs: gives the results that a test set."""

    results: Sequence[Any] = ()
    asked: Sequence[Sequence[str]] = ()
    suite: Any = None
    command = "pytest -q"
    pause_s = 60.0

    def __init__(self, suite: Any, _environ: Any) -> None:
        FakeRunner.suite = suite
        FakeRunner.asked = []

    def __call__(self, names: Sequence[str]) -> Rerun:
        FakeRunner.asked = [*FakeRunner.asked, list(names)]
        result = FakeRunner.results[len(FakeRunner.asked) - 1]
        if isinstance(result, type):
            raise result
        assert isinstance(result, Rerun)
        return result


def own_command(session_id: str, folder: Path, command: str = "pytest") -> OwnCommand:
    return OwnCommand(session_id=session_id, command=command, folder=str(folder.resolve()))


@pytest.fixture
def reruns(monkeypatch: pytest.MonkeyPatch, gated: Gated, tmp_path: Path) -> Callable[..., None]:
    """Return a function that says what re-runs will measure: factors of the slow benchmark, or what goes wrong."""
    from pytest_benchdb.operations.exchange.open import open_source

    def measured(number: int, factor: float) -> Rerun:
        folder = tmp_path / f"again{number}"
        gated.new_session(folder, gated.runs({"sort": factor}, ["sort"]), at=60)
        with open_source((folder,)) as reader:
            (session,) = reader.sessions()
            return Rerun(session=session, values=tuple(reader.session_values([session.session_id])))

    def plan(*results: Any) -> None:
        FakeRunner.asked = []
        FakeRunner.results = [
            measured(number, one) if isinstance(one, float) else one for number, one in enumerate(results)
        ]
        monkeypatch.setattr(confirm, "ProcessRunner", FakeRunner)
        monkeypatch.setattr(confirm, "recall", lambda session_id: own_command(session_id, tmp_path))

    return plan


def test_regression_is_what_every_rerun_repeats(gated: Gated, reruns: Callable[..., None]) -> None:
    gated.record(sort=1.2)
    reruns(1.2, 1.21)

    ended = gated("--confirm", "2")

    assert ended.status == 1
    assert " 2/2 " in ended.out
    assert "re-run 1 of 2: 1 suspect, with: pytest -q" in ended.err
    assert FakeRunner.asked == [[FULL["sort"]]] * 2


@pytest.fixture
def with_tests(tmp_path: Path) -> None:
    """Put the tests of the sessions into the working folder."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_sort.py").touch()


@pytest.mark.usefixtures("with_tests")
def test_suspects_are_run_again_twice_unless_another_number_is_named(gated: Gated, reruns: Callable[..., None]) -> None:
    gated.record(sort=1.2)
    reruns(1.2, 1.21)

    usual, unasked = gated(), gated("--confirm", "0")

    assert usual.status == 1
    assert " 2/2 " in usual.out
    assert "re-run 2 of 2: 1 suspect, after a pause of 60 s" in usual.err
    assert "not confirmed" not in usual.sentence
    assert unasked.status == 1
    assert "not confirmed" in unasked.sentence


@pytest.mark.usefixtures("with_tests")
@pytest.mark.parametrize(
    ("session", "command", "why"),
    [
        ({"kind": "import"}, None, "the session was imported, so there is nothing to run again"),
        ({}, "pytest --token '***'", "secrets were masked in the command"),
        ({"command": "pytest -p evil"}, None, "you did not record the session on this machine"),
    ],
    ids=["imported", "masked", "from elsewhere"],
)
def test_regression_that_cannot_be_run_again_fails_and_says_that_it_is_not_confirmed(
    gated: Gated,
    reruns: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    session: dict[str, Any],
    command: str | None,
    why: str,
) -> None:
    gated.record(sort=1.2, session=session)
    reruns()
    own = None if command is None else own_command("any", Path(), command)
    monkeypatch.setattr(confirm, "recall", lambda _session_id: own)

    ended = gated()

    assert ended.status == 1
    assert f"not confirmed: {why}" in ended.sentence
    assert FakeRunner.asked == []


@pytest.mark.usefixtures("with_tests")
def test_regression_whose_tests_are_elsewhere_fails_unconfirmed(
    gated: Gated, tmp_path: Path, reruns: Callable[..., None]
) -> None:
    gated.record(sort=1.2)
    reruns()
    (tmp_path / "tests" / "test_sort.py").unlink()

    ended = gated("--", "pytest")

    assert ended.status == 1
    assert "not confirmed: the tests are not in or above" in ended.sentence


def test_suspect_that_a_rerun_does_not_repeat_passes(gated: Gated, reruns: Callable[..., None]) -> None:
    gated.record(sort=1.2)
    reruns(1.0)

    ended = gated("--confirm", "2")

    assert ended.status == 0
    assert "re-run 1 did not repeat it" in ended.out


@pytest.mark.parametrize(("options", "status"), [([], 0), (["--strict"], 4)], ids=["usual", "strict"])
def test_rerun_that_fails_confirms_nothing(
    gated: Gated, reruns: Callable[..., None], options: list[str], status: int
) -> None:
    gated.record(sort=1.2)
    reruns(Rerun(problem="pytest ended with exit status 4: no such option"))

    ended = gated("--confirm", "2", *options)

    assert ended.status == status
    assert "1 suspect could not be confirmed" in ended.sentence
    assert "no such option" in ended.sentence


def test_interrupt_of_a_rerun_ends_with_130_and_what_is_known(gated: Gated, reruns: Callable[..., None]) -> None:
    gated.record(sort=1.2)
    reruns(1.2, KeyboardInterrupt)

    ended = gated("--confirm", "2")

    assert ended.status == 130
    assert ended.sentence == "interrupted: 1 suspect not confirmed"
    assert "test_sort" in ended.out


def test_reruns_take_the_command_that_is_named(gated: Gated, reruns: Callable[..., None]) -> None:
    gated.record(sort=1.2)
    reruns(1.0)

    gated("--confirm", "1", "--", "pytest", "-q", "tests")

    assert FakeRunner.suite.arguments == ("-q", "tests")


def test_recorded_command_with_a_masked_secret_is_not_run(gated: Gated) -> None:
    gated.record(sort=1.2, session={"command": "pytest --token '***'"})

    ended = gated("--confirm", "2")

    assert ended.status == 2
    assert "-- pytest ARGS" in ended.err


def test_database_that_is_not_there_or_damaged_ends_with_five(gated: Gated, tmp_path: Path) -> None:
    gated.record(sort=1.2)
    (tmp_path / "broken.duckdb").write_bytes(b"\0" * 8192)

    missing = gated.call("regress", "--db", "no-such-folder")
    broken = gated.call("regress", "--db", "broken.duckdb")

    assert (missing.status, broken.status) == (5, 5)
    assert "Traceback" not in missing.err + broken.err


def test_internal_error_is_no_regression(gated: Gated, monkeypatch: pytest.MonkeyPatch) -> None:
    gated.record(sort=1.2)

    def burst(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(operation, "doubt_shifted", burst)

    assert gated().status == 70


def test_json_has_the_outcome_and_every_row(gated: Gated) -> None:
    gated.record(sort=1.2)

    document = json.loads(gated("-f", "json").out)

    assert document["schema"] == "benchdb.gate/1"
    assert document["exit_status"] == 1
    assert [row["benchmark"] for row in document["failures"]] == [FULL["sort"]]
    assert {row["benchmark"] for row in document["rows"]} == set(FULL.values())
    assert document["failures"][0]["policy"]["relative"] == 0.05


def test_markdown_has_the_outcome_and_the_rows_that_want_eyes(gated: Gated) -> None:
    gated.record(sort=1.2)

    text = gated("-f", "md").out

    assert text.startswith("## Benchmark gate\n\n**failed: 1 of 4")
    assert "| tests/test_sort.py::test_sort | wall_time | 1.001 ms (6) |" in text
    assert "And 4 unchanged" in text


@pytest.mark.parametrize("form", ["junit", "sarif", "github"])
def test_formats_of_ci_tell_the_failure(gated: Gated, form: str) -> None:
    gated.record(sort=1.2)

    ended = gated("-f", form)

    assert ended.status == 1
    assert "test_sort" in ended.out


def test_narrow_table_keeps_names_changes_and_verdicts(gated: Gated) -> None:
    gated.record(sort=1.2)

    lines = gated("--width", "60").out.splitlines()

    assert all(len(line) <= 60 for line in lines if not line.startswith("  pytest"))
    (row,) = [line for line in lines if line.startswith("test_sort")]
    assert "+19.9 %" in row
    assert "regressed" in row


def test_shallow_clone_is_reported(gated: Gated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    environ = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}

    def call(*words: str) -> str:
        return subprocess.run([*git, *words], env=environ, check=True, capture_output=True, text=True).stdout.strip()

    call("init", "-q", "-b", "main", str(origin))
    for number in range(3):
        call("-C", str(origin), "commit", "-q", "--allow-empty", "-m", f"commit {number}")
    call("clone", "-q", "--depth=1", origin.as_uri(), str(clone))
    head = call("-C", str(clone), "rev-parse", "HEAD")
    gated.record(sort=1.2, session={"commit": Commit(sha=head, branch="main", dirty=False)})
    monkeypatch.chdir(clone)

    ended = gated()

    assert ended.status == 1
    assert "this clone is shallow" in ended.out


@pytest.mark.parametrize(
    ("limit", "status", "sentence"),
    [
        (
            "time<900us",
            1,
            "failed: 1 of 4 gated results: tests/test_sort.py::test_sort wall_time 1.200 ms (budget <900 us)",
        ),
        ("time<1.5ms", 0, "passed: 4 within budget"),
    ],
)
def test_budget_needs_no_history(gated: Gated, tmp_path: Path, limit: str, status: int, sentence: str) -> None:
    gated.folder = tmp_path / "first"
    gated.record(sort=1.2, json=0.5, regex=0.5, lenient=0.5, free=9.0)

    ended = gated("--threshold", limit)

    assert ended.status == status
    assert ended.sentence.replace("\N{MICRO SIGN}", "u").startswith(sentence)


def test_budget_does_not_limit_the_change(gated: Gated) -> None:
    gated.record(sort=1.2)

    ended = gated("--threshold", "time<500ms")

    assert ended.status == 0
    assert ended.sentence == "passed: 4 within budget"
    assert "not gated, but worse in this session: tests/test_sort.py::test_sort" in ended.out


def test_budget_and_limit_of_the_change_are_both_judged(gated: Gated) -> None:
    gated.record(sort=1.2, json=3.0)

    ended = gated("--threshold", "time<2ms", "--threshold", "time:5%", "--confirm", "0")

    assert ended.status == 1
    assert "failed: 2 of 4 gated results: tests/test_json.py::test_json wall_time 3.00" in ended.sentence
    assert "(budget <2 ms), tests/test_sort.py::test_sort wall_time +19.9 % (limit 5 %)" in ended.sentence


def test_budget_reads_the_same_in_every_format(gated: Gated, tmp_path: Path) -> None:
    gated.record(sort=3.0)
    words = ("exceeded", "<2 ms")

    for format_name in ("table", "md", "json", "junit", "sarif", "github"):
        ended = gated("--threshold", "time<2ms", "-f", format_name)

        assert ended.status == 1
        text = ended.out.replace("&lt;", "<").replace("\\u003c", "<")
        assert all(word in text for word in words), (format_name, text)


def test_budget_of_what_was_not_measured_is_not_met(gated: Gated, tmp_path: Path) -> None:
    gated.folder = tmp_path / "first"
    runs = gated.runs({}, ["sort", "json"])
    runs[0] = replace(runs[0], timing=Timing.missing("the benchmark fixture was disabled"))
    gated.new_session(gated.folder, runs, at=50)

    ended = gated("--threshold", "time<500ms")

    assert ended.status == 0
    assert ended.sentence == (
        "passed: 1 within budget; 1 budget could not be checked, for lack of a valid value:"
        " tests/test_sort.py::test_sort wall_time"
    )
    assert gated("--threshold", "time<500ms", "--strict").status == 4


def test_improvement_fails_only_where_it_was_asked_for_and_until_it_is_accepted(gated: Gated) -> None:
    gated.record(sort=0.5)

    assert gated().status == 0
    ended = gated("--alert-improvement")
    assert ended.status == 1
    assert (
        "tests/test_sort.py::test_sort wall_time -50.0 % (limit 5 %); tests/test_sort.py::test_sort improved beyond the"
        " limit; accept it with: benchdb accept tests/test_sort.py::test_sort --reason TEXT"
    ) in ended.sentence.replace("\N{MINUS SIGN}", "-")
    assert "improved" in gated("--alert-improvement", "-f", "sarif").out

    accepted = gated.call(
        "accept", "--db", str(gated.folder), "tests/test_sort.py::test_sort", "--reason", "a better algorithm"
    )
    assert accepted.status == 0
    assert gated("--alert-improvement").status == 0
