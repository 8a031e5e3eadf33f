"""`benchdb doctor`: check that everything works, and say what to do if not."""

from collections.abc import Sequence
from dataclasses import asdict

import click

from pytest_benchdb.cli.frame.command import Call, reading_command
from pytest_benchdb.cli.frame.output import Output, command_feedback
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model import exit_status
from pytest_benchdb.model.answer.device_claims import DeviceClaims
from pytest_benchdb.model.wording import counted
from pytest_benchdb.operations.upkeep.doctor import Finding, diagnose
from pytest_benchdb.present.writing.grid import Line, Span, Style
from pytest_benchdb.present.writing.text import sanitize, wrap

DOCTOR_SCHEMA = "benchdb.doctor/1"
DEVICE_SCHEMA = "benchdb.device/1"

_HELP = """Check the installation, the machine and the database, and say what to do.

PATH is a database; the default is that of --db. What is in order is listed with -v only. The exit status is 5 if
something keeps results from being stored or read, else 0.

With --device, check instead on a device what the documentation claims of its clocks, caches, memory and meters. It is
kept busy for about two minutes; none of its settings is changed. The exit status is 6 if a claim does not hold.
A claim that cannot be checked is untested, with the reason.

Example: benchdb doctor results
"""

_VERDICTS: dict[str, Style] = {"holds": "good", "fails": "bad", "untested": "dim"}
_STYLES: dict[str, Style] = {"ok": "good", "note": "", "warning": "warn", "error": "bad"}


@reading_command(
    "doctor",
    _HELP,
    click.argument("path", required=False),
    click.option("--full", is_flag=True, help="Read and check every value of the database too."),
    click.option("--device", metavar="NAME", help="Check a device, such as cuda or cuda:1, and nothing else."),
    formats=("table", "json"),
)
def command(call: Call) -> int:
    """Check and report.

    Raises:
        ConfigError: a database was named beside a device.
    """
    output = call.output
    if call.params["device"]:
        if call.params["path"] or call.params["full"]:
            raise ConfigError(f"--device {call.params['device']} checks no database; leave out PATH and --full")
        return _check_device(call.params["device"], output)
    path = call.named_path
    with command_feedback(output, "Checking the database") as feedback:
        findings = diagnose(path, full=call.params["full"], feedback=feedback)
    failed = any(finding.severity == "error" for finding in findings)
    if output.format == "json":
        from pytest_benchdb.present.writing.values import object_json

        output.text(object_json(DOCTOR_SCHEMA, {"findings": list(map(asdict, findings))}))
    else:
        shown = [finding for finding in findings if output.verbose or finding.severity != "ok"]
        output.lines(_lines(shown, output.width, ascii_only=output.ascii_only))
        output.lines([(Span(_summary(findings), "bad" if failed else "good"),)])
    return exit_status.DATABASE if failed else exit_status.FINE


def _check_device(name: str, output: Output) -> int:
    from pytest_benchdb.operations.upkeep.device_claims import check_device

    with command_feedback(output, f"Checking {name}") as feedback:
        checked = check_device(name, progress=feedback.progress)
    if output.format == "json":
        from pytest_benchdb.present.writing.values import object_json

        claims = list(map(asdict, checked.results))
        output.text(object_json(DEVICE_SCHEMA, {"device": checked.device, "claims": claims}))
    else:
        output.lines(_claim_lines(checked, output.width, ascii_only=output.ascii_only))
    failed = any(result.verdict == "fails" for result in checked.results)
    return exit_status.NOT_AS_DOCUMENTED if failed else exit_status.FINE


def _claim_lines(checked: DeviceClaims, width: int, *, ascii_only: bool) -> list[Line]:
    lines: list[Line] = []

    def add(word: str, style: Style, *texts: str) -> None:
        for text in texts:
            for part in wrap(sanitize(text, ascii_only=ascii_only), width - len(word), ascii_only=ascii_only):
                lines.append((Span(word, style), Span(part)))
                word = " " * len(word)

    counts = {verdict: sum(result.verdict == verdict for result in checked.results) for verdict in _VERDICTS}
    reasons = {result.measured for result in checked.results}
    for result in checked.results:
        measured = [f"measured: {result.measured}"] if len(reasons) > 1 else []
        add(
            result.verdict.ljust(10),
            _VERDICTS[result.verdict],
            result.claim,
            f"expected: {result.expected}",
            *measured,
        )
    summary = f"{checked.device}: {counts['holds']} hold, {counts['fails']} fail, {counts['untested']} untested"
    add("", "", summary + (f": {reasons.pop()}" if len(reasons) == 1 else ""))
    return lines


def _lines(findings: Sequence[Finding], width: int, *, ascii_only: bool) -> list[Line]:
    lines: list[Line] = []
    for finding in findings:
        text = sanitize(f"{finding.subject}: {finding.message}", ascii_only=ascii_only)
        word = finding.severity.ljust(9)
        for number, part in enumerate(wrap(text, width - len(word), ascii_only=ascii_only)):
            lines.append((Span(word if number == 0 else " " * len(word), _STYLES[finding.severity]), Span(part)))
        if finding.advice:
            advice = sanitize(finding.advice, ascii_only=ascii_only)
            for number, part in enumerate(wrap(advice, width - len(word) - 3, ascii_only=ascii_only)):
                lead = "-> " if number == 0 else "   "
                lines.append((Span(" " * len(word) + lead, "dim"), Span(part)))
    return lines


def _summary(findings: Sequence[Finding]) -> str:
    counts = {severity: sum(f.severity == severity for f in findings) for severity in _STYLES}
    if counts["error"]:
        return f"{counted(counts['error'], 'thing')} broken, {counted(counts['warning'], 'warning')}"
    if counts["warning"]:
        return f"everything works, with {counted(counts['warning'], 'warning')}"
    if counts["note"]:
        return f"everything works, with {counted(counts['note'], 'note')}"
    return f"everything is in order ({counted(counts['ok'], 'check')}; -v lists them)"
