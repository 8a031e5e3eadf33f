"""The answer of `benchdb bisect` as text and as JSON."""

import shlex
from collections.abc import Iterator
from dataclasses import asdict

from pytest_benchdb.model.answer.bisection import SHORT, Bisection, Suspect
from pytest_benchdb.model.verdict import Judgement
from pytest_benchdb.model.wording import counted, percent_text
from pytest_benchdb.present.writing.grid import Line, Span
from pytest_benchdb.present.writing.text import clip, sanitize, wrap
from pytest_benchdb.present.writing.units import one_quantity
from pytest_benchdb.present.writing.values import object_json

BISECT_SCHEMA = "benchdb.bisect/1"
_MOST_SUSPECTS = 20
_MINUTE_S = 60


def bisection_lines(answer: Bisection, width: int) -> list[Line]:
    """Return the answer for a terminal, no line wider than `width` but the commands to copy."""
    lines: list[Line] = [(Span(clip(sanitize(line), width), "head"),) for line in _heads(answer)]
    lines += [(Span(f"  {line}"),) for text in _facts(answer) for line in wrap(sanitize(text), width - 2)]
    lines += [(Span(f"  {line}", "dim"),) for note in answer.notes for line in wrap(sanitize(note), width - 2)]
    if answer.explain is not None:
        lines.append((Span(f"  why: {sanitize(answer.explain)}"),))
    return lines


def bisection_markdown(answer: Bisection) -> str:
    """Return the answer as Markdown."""
    head, *rest = _heads(answer)
    lines = [f"**{sanitize(head)}**", "", *(f"- {sanitize(text)}" for text in [*rest, *_facts(answer), *answer.notes])]
    if answer.explain is not None:
        lines += ["", "```sh", sanitize(answer.explain), "```"]
    return "\n".join(lines) + "\n"


def bisection_json(answer: Bisection) -> str:
    """Return everything as JSON; changes and probabilities are shares."""
    return object_json(BISECT_SCHEMA, asdict(answer))


def explain_command(answer: Bisection, arguments: str) -> str | None:
    """Return the command that explains the culprit; None without a single one.

    Args:
        answer: what was found.
        arguments: the command that runs pytest, in shell syntax.
    """
    if answer.outcome != "found" or answer.key is None:
        return None
    sha = answer.suspects[0].sha[:12]
    name = answer.key.fullname.rpartition("::")[2].partition("[")[0]
    return f"benchdb explain {sha}~1 {sha} -k {shlex.quote(name)} -- {arguments}"


def _heads(answer: Bisection) -> Iterator[str]:
    ends = f"{answer.good[:SHORT]} and {answer.bad[:SHORT]}"
    if answer.outcome == "found":
        yield answer.suspects[0].text
    elif answer.outcome == "range":
        yield f"one of {counted(len(answer.suspects), 'commit')}:"
        yield from (f"  {_suspect_text(one)}" for one in answer.suspects[:_MOST_SUSPECTS])
        if len(answer.suspects) > _MOST_SUSPECTS:
            yield f"  and {len(answer.suspects) - _MOST_SUSPECTS} more (-f json has all)"
    elif answer.outcome == "unchanged":
        yield f"no change between {ends}: {_change_text(answer.ends)}"
    else:
        yield f"it is not clear whether {ends} differ: {_change_text(answer.ends)}"


def _suspect_text(one: Suspect) -> str:
    problem = f" - cannot be measured: {one.problem}" if one.problem else ""
    return f"{one.probability * 100:5.1f} % {one.text}{problem}"


def _facts(answer: Bisection) -> Iterator[str]:
    if answer.key is not None:
        phase = f" of {answer.key.phase}" if answer.key.phase else ""
        text = f"{answer.key.fullname}, {answer.key.metric}{phase}"
        if answer.change is not None:
            before, after = (
                one_quantity(side, answer.unit) for side in (answer.change.baseline, answer.change.candidate)
            )
            text += f": {before} -> {after}, {_change_text(answer.change)}"
        yield text
    if answer.suspects:
        yield f"confidence {answer.confidence * 100:.1f} %, by {counted(answer.sessions, 'session')}"
    reused = f", {answer.reused} of the history" if answer.reused else ""
    made = f"{counted(len(answer.steps), 'step')} and {counted(answer.runs, 'run')}"
    yield f"{made} of {counted(answer.commits, 'commit')}{reused}, {_duration(answer.seconds)}"


def _change_text(judgement: Judgement) -> str:
    text = percent_text(judgement.change)
    interval = judgement.interval
    if interval is None:
        return text
    return f"{text} ({percent_text(interval.low)} to {percent_text(interval.high)})"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), _MINUTE_S)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
