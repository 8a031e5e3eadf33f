"""Findings about the installation, the machine and the place of the database."""

from pathlib import Path

import pytest

from pytest_benchdb.operations.upkeep.doctor import (
    check_energy,
    check_installation,
    check_machine,
    check_place,
    check_plugin,
    parse_version,
)

VERSIONS = {"duckdb": "2.0.0", "pyarrow": "26.0.1", "pytest-xdist": "3.8.0"}


def test_energy_names_the_one_command_that_would_help() -> None:
    denied = "energy_uj may only be read by root; to open it until the next boot, run: sudo chmod a+r /x/*/energy_uj"

    findings = list(check_energy(["nvml"], {"rapl": denied, "amdsmi": "amdsmi is not installed"}))

    assert [(each.severity, each.subject, each.advice) for each in findings] == [
        ("ok", "meter nvml", None),
        ("note", "meter rapl", "sudo chmod a+r /x/*/energy_uj"),
        ("ok", "meter amdsmi", None),
    ]
    assert findings[1].message == "not read: energy_uj may only be read by root; to open it until the next boot"


def test_installation_in_order_has_no_problem() -> None:
    findings = list(check_installation(VERSIONS.get, (3, 11, 7)))

    assert {finding.severity for finding in findings} == {"ok"}
    assert ("pytest-xdist", "3.8.0") in {(finding.subject, finding.message) for finding in findings}


@pytest.mark.parametrize(
    ("change", "severity", "advice"),
    [
        ({"duckdb": "1.3.2"}, "error", "pip install 'duckdb>=1.4,<3'"),
        ({"duckdb": "3.0.0"}, "error", "pip install 'duckdb>=1.4,<3'"),
        ({"duckdb": None}, "error", "pip install 'duckdb>=1.4,<3'"),
    ],
    ids=["old duckdb", "new duckdb", "no duckdb"],
)
def test_installation_with_a_problem_has_advice(change: dict[str, str], severity: str, advice: str) -> None:
    findings = list(check_installation({**VERSIONS, **change}.get, (3, 11, 7)))

    assert [(f.severity, f.advice) for f in findings if f.severity != "ok"] == [(severity, advice)]


def test_installation_on_an_old_python_is_an_error() -> None:
    findings = list(check_installation(VERSIONS.get, (3, 9, 1)))

    assert [f.subject for f in findings if f.severity == "error"] == ["Python"]


@pytest.mark.parametrize(
    ("text", "version"), [("1.4.0", (1, 4, 0)), ("2.0.0rc1", (2, 0, 0)), ("1.5.0.dev12", (1, 5, 0)), ("x", ())]
)
def test_parse_version_takes_the_numbers(text: str, version: tuple[int, ...]) -> None:
    assert parse_version(text) == version


@pytest.mark.parametrize(
    ("registered", "environ", "severity"),
    [(True, {}, "ok"), (False, {}, "error"), (True, {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}, "warning")],
)
def test_plugin_check_reports_whether_pytest_loads_it(registered: bool, environ: dict[str, str], severity: str) -> None:
    assert [finding.severity for finding in check_plugin(registered, environ)] == [severity]


def test_machine_that_cannot_reset_its_peak_is_warned_about(tmp_path: Path) -> None:
    findings = list(check_machine(tmp_path, {"peak_rss": "/proc/self/clear_refs cannot be written: denied"}))

    (warning,) = [finding for finding in findings if finding.severity == "warning"]
    assert warning.subject == "peak_rss"
    assert "cannot be written: denied" in warning.message


@pytest.mark.parametrize(
    ("file", "text", "subject"),
    [
        ("proc/sys/kernel/perf_event_paranoid", "4", "perf counters"),
        ("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave", "CPU governor"),
    ],
)
def test_machine_notes_have_advice(tmp_path: Path, file: str, text: str, subject: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(text)

    notes = [finding for finding in check_machine(tmp_path, {}) if finding.severity == "note"]

    assert [note.subject for note in notes] == [subject]
    assert notes[0].advice is not None


def test_missing_place_has_advice_on_recording(tmp_path: Path) -> None:
    (finding,) = check_place(tmp_path / "results", lambda _path: True)

    assert finding.severity == "note"
    assert finding.advice == f"record one with: pytest --benchdb={tmp_path / 'results'}"


@pytest.mark.parametrize(("writable", "severity"), [(True, "ok"), (False, "warning")])
def test_place_is_checked_for_writing(tmp_path: Path, writable: bool, severity: str) -> None:
    assert [finding.severity for finding in check_place(tmp_path, lambda _path: writable)] == [severity]
