"""SPEC: how it is read, and which sessions it stands for."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_benchdb.errors import ConfigError, NoBaselineError
from pytest_benchdb.model.annotation import Baseline
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.operations.select.spec.context import SpecContext
from pytest_benchdb.operations.select.spec.resolve import resolve_spec
from pytest_benchdb.operations.select.spec.syntax import Spec, parse_spec

Make = Callable[..., SessionRow]


def sha(letter: str) -> str:
    return letter * 40


@pytest.fixture
def sessions(session: Make) -> list[SessionRow]:
    """Hold two sessions of a on main, one of b, one with changes to b, two of c on a branch, one of c elsewhere."""

    def made(number: int, commit: str | None, branch: str | None = "main", **values: Any) -> SessionRow:
        known = {"fingerprint": "here", "cpu_model": "Test CPU", "commit_sha": commit, "branch": branch, "dirty": False}
        moment = f"2026-11-21T0{number}:00:00.000000"
        return session(f"019a{number:04d}-0000-7000-8000-000000000000", moment, **{**known, **values})

    return [
        made(0, sha("a"), label="before"),
        made(1, sha("a"), label="before", tags={"runner": "x", "release": "v1.0"}),
        made(2, sha("b"), tags={"release": "v1.1"}, outcome="failed", not_passed=1),
        made(3, sha("b"), dirty=True),
        made(4, sha("c"), "feature", label="after"),
        made(5, sha("c"), "feature", label="after"),
        made(6, sha("c"), "feature", fingerprint="there", cpu_model="Other CPU", label="far"),
    ]


def numbers(found: Sequence[SessionRow]) -> list[int]:
    return [int(one.session_id[4:8]) for one in found]


def resolved(text: str, sessions: Sequence[SessionRow], context: SpecContext | None = None) -> list[int]:
    return numbers(resolve_spec(parse_spec(text), sessions, context or SpecContext()))


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("latest", Spec(kind="latest", text="latest")),
        ("latest~3", Spec(kind="latest", text="latest~3", back=3)),
        (" auto ", Spec(kind="auto", text="auto")),
        ("run:0a", Spec(kind="run", text="run:0a", value="0a")),
        ("session:0a", Spec(kind="session", text="session:0a", value="0a")),
        ("commit:HEAD~1", Spec(kind="commit", text="commit:HEAD~1", value="HEAD~1")),
        ("branch:main~2", Spec(kind="branch", text="branch:main~2", value="main", back=2)),
        ("branch:a~b", Spec(kind="branch", text="branch:a~b", value="a~b")),
        ("tag:v1.*", Spec(kind="tag", text="tag:v1.*", value="v1.*")),
        ("label:a:b", Spec(kind="label", text="label:a:b", value="a:b")),
        ("last-good", Spec(kind="last-good", text="last-good")),
        ("last-good:main", Spec(kind="last-good", text="last-good:main", value="main")),
        ("merge-base", Spec(kind="merge-base", text="merge-base")),
        ("merge-base:dev", Spec(kind="merge-base", text="merge-base:dev", value="dev")),
        ("window:20", Spec(kind="window", text="window:20", value="20")),
        ("before:2026-11-21", Spec(kind="before", text="before:2026-11-21", value="2026-11-21")),
        ("main", Spec(kind="word", text="main", value="main")),
        ("latest~x", Spec(kind="word", text="latest~x", value="latest~x")),
        ("auto:x", Spec(kind="word", text="auto:x", value="auto:x")),
        ("v1:2", Spec(kind="word", text="v1:2", value="v1:2")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_parse_spec_recognizes_the_kinds(text: str, spec: Spec) -> None:
    assert parse_spec(text) == spec


def test_parse_spec_of_a_file_gives_its_path() -> None:
    assert parse_spec("file:a/b.json").path == Path("a/b.json")
    assert parse_spec("file:~/b.json").path == Path.home() / "b.json"
    assert parse_spec("label:a").path is None


@pytest.mark.parametrize("text", ["", "  ", "label:", "window:", "window:0", "window:-1", "window:x", "window:1.5"])
def test_parse_spec_of_nonsense_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_spec(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("latest", [6]),
        ("latest~4", [2]),
        ("session:019a0003", [3]),
        ("commit:aaaa", [0, 1]),
        ("commit:" + sha("A"), [0, 1]),
        ("commit:bbbb", [2]),
        ("branch:main", [3]),
        ("branch:main~1", [2]),
        ("branch:main~2", [0, 1]),
        ("tag:v1.*", [2]),
        ("tag:release=v1.0", [1]),
        ("tag:runner", [1]),
        ("label:before", [0, 1]),
        ("last-good", [4, 5, 6]),
        ("last-good:main", [3]),
        ("window:2", [5, 6]),
        ("window:99", [0, 1, 2, 3, 4, 5, 6]),
        ("before:2026-11-21T04:00", [3]),
        ("auto", [6]),
        ("before", [0, 1]),
        ("v1.1", [2]),
        ("release=v1.0", [1]),
        ("feature", [4, 5, 6]),
        ("main~2", [0, 1]),
        ("bbbbbbb", [2]),
        ("019a0003", [3]),
        ("run:0a", [2]),
    ],
)
def test_resolve_spec_without_a_candidate(sessions: list[SessionRow], text: str, found: list[int]) -> None:
    context = SpecContext(find_runs=lambda prefix: {"0a1": sessions[2].session_id} if prefix == "0a" else {})

    assert resolved(text, sessions, context) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("latest~1", [5]),
        ("branch:main", [3]),
        ("branch:feature", [5]),
        ("label:after", [5]),
        ("commit:cccc", [5]),
        ("window:2", [2, 3]),
        ("last-good", [3]),
        ("last-good:feature~0", None),
        ("before:2026-11-21T23:00", [3]),
        ("before:2026-11-21T02:30", [2]),
        ("auto", [3]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_resolve_spec_leaves_the_candidate_and_other_machines_out(
    sessions: list[SessionRow], text: str, found: list[int] | None
) -> None:
    context = SpecContext(candidates=(sessions[4],))

    if found is None:
        with pytest.raises(NoBaselineError):
            resolved(text, sessions, context)
    else:
        assert resolved(text, sessions, context) == found


def test_resolve_spec_only_of_the_candidate_is_refused(sessions: list[SessionRow]) -> None:
    context = SpecContext(candidates=tuple(sessions[4:6]))

    for text in ("label:after", "branch:feature", "latest~1"):
        with pytest.raises(NoBaselineError, match="is the candidate itself; name an earlier session"):
            resolved(text, sessions, context)


def test_resolve_spec_of_another_machine_is_refused_unless_it_may_be_crossed(sessions: list[SessionRow]) -> None:
    context = SpecContext(candidates=(sessions[4],))

    for text in ("label:far", "far", "latest"):
        with pytest.raises(NoBaselineError, match=r"another machine or Python \(Other CPU\); use --allow-cross"):
            resolved(text, sessions, context)
        assert resolved(text, sessions, replace(context, allow_cross=True)) == [6]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("latest~7", "there are only 7 sessions"),
        ("session:ffff", "is not a session: no id begins with it"),
        ("run:ff", "is not a run"),
        ("commit:dddd", "no session of that commit \\(commits: cccccccccccc, aaaaaaaaaaaa, bbbbbbbbbbbb\\)"),
        ("branch:mian", "no session of that branch \\(branches: main, feature\\)"),
        ("branch:main~3", "there are only 3 commits of main with results"),
        ("tag:v2.*", "no tag of a session or of git matches"),
        ("label:never", "no session has the label 'never' \\(labels: before, after, far\\)"),
        ("last-good:never", "no commit with complete sessions that all passed"),
        ("before:2020-01-01", "no session on this machine began before that"),
        ("nothing", r"no label, baseline, tag, branch, commit or id matches \(labels: before, after, far; branches"),
        ("ab", "no label, baseline"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)
def test_resolve_spec_that_fits_nothing_lists_what_there_is(sessions: list[SessionRow], text: str, what: str) -> None:
    with pytest.raises(NoBaselineError, match=what):
        resolved(text, sessions)


def test_resolve_spec_that_fits_two_things_lists_them(sessions: list[SessionRow]) -> None:
    twins = [replace(one, commit_sha="019a" + one.commit_sha[4:]) for one in sessions if one.commit_sha]

    with pytest.raises(
        ConfigError, match=r"'commit:019a' matches 3 commits: 019aaaaa.*019abbbb.*019acccc.*the hash"
    ) as two:
        resolved("commit:019a", twins)
    assert not isinstance(two.value, NoBaselineError)
    with pytest.raises(ConfigError, match=r"'019a' matches 10 commits and sessions: 019aaaaa.* and 5 more; write more"):
        resolved("019a", twins)
    with pytest.raises(ConfigError, match=r"'session:019a000' matches 7 sessions: 019a0000.*2026-11-21T00:00\)"):
        resolved("session:019a000", twins)
    with pytest.raises(ConfigError, match="'run:0' matches 2 runs: 0a, 0b"):
        resolved(
            "run:0", twins, SpecContext(find_runs=lambda _: {"0b": twins[0].session_id, "0a": twins[0].session_id})
        )


def test_resolve_spec_word_prefers_the_label_and_warns(sessions: list[SessionRow]) -> None:
    warnings: list[str] = []
    named = [replace(sessions[0], label="main"), *sessions[1:]]

    assert resolved("main", named, SpecContext(warn=warnings.append)) == [0]
    assert warnings == ["'main' is a label and a branch, so the label is used; otherwise write branch:main"]


def test_resolve_spec_file_is_the_callers(sessions: list[SessionRow]) -> None:
    with pytest.raises(ConfigError, match="is not possible here"):
        resolved("file:a.json", sessions)


def test_resolve_spec_auto_of_a_first_run_is_empty(session: Make) -> None:
    only = session("019a0000-0000-7000-8000-000000000000")

    assert resolved("auto", [only], SpecContext(candidates=(only,))) == []
    assert resolved("auto", []) == []


def pinned(spec: str, session_id: str | None) -> dict[str, Baseline]:
    made = Baseline(
        baseline_id="b", project="p", name="pin", spec=spec, session_id=session_id, created_at="2026-11-21T00:00:00"
    )
    return {"pin": made}


@pytest.mark.parametrize(
    ("spec", "pin", "found"),
    [
        ("latest", 1, [1]),
        ("label:before", 1, [0, 1]),
        ("before", 1, [0, 1]),
        ("branch:main", 1, [0, 1]),
        ("branch:main", 2, [2]),
        ("commit:HEAD~1", 1, [0, 1]),
        ("branch:main~1", 1, [0, 1]),
        ("main~1", 1, [0, 1]),
        ("window:3", 5, [3, 4, 5]),
        ("last-good", 1, [0, 1]),
        ("before:2026-11-30", 1, [0, 1]),
        ("auto", 2, [2]),
        ("feature", 5, [4, 5]),
    ],
)
def test_resolve_spec_baseline_stays_where_it_was_set(
    sessions: list[SessionRow], spec: str, pin: int, found: list[int]
) -> None:
    context = SpecContext(baselines=pinned(spec, sessions[pin].session_id))

    assert resolved("pin", sessions, context) == found


def test_resolve_spec_baseline_without_its_session_is_explained(sessions: list[SessionRow]) -> None:
    context = SpecContext(baselines=pinned("latest", "019affff"))

    with pytest.raises(NoBaselineError, match="which is missing; set it again with: benchdb baseline set pin SPEC"):
        resolved("pin", sessions, context)
