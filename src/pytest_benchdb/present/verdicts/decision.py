"""The decision about a candidate as text: targets met or missed, and the verdict."""

from pytest_benchdb.analysis.decide import Decision, TargetOutcome
from pytest_benchdb.model.wording import counted
from pytest_benchdb.present.verdicts.words import times_text
from pytest_benchdb.present.writing.grid import Fact, Line, Span, Style, fact_lines

_MOST_NAMED = 5


def decision_facts(decision: Decision) -> list[Fact]:
    """Return pairs of label and text: targets, rows left out, and last the verdict."""
    facts = [(f"target {outcome.target.name}", _target(outcome)) for outcome in decision.targets]
    if decision.left_out:
        named = [f"{name} ({why})" for name, why in decision.left_out[:_MOST_NAMED]]
        rest = len(decision.left_out) - len(named)
        more = f" and {rest} more" if rest else ""
        facts.append(("left out", ", ".join(named) + more))
    if decision.unsure:
        facts.append(("unsure", f"{decision.unsure} of {counted(decision.rows, 'row')} show no sure change"))
    facts.append(("decision", _verdict(decision)))
    return facts


def decision_lines(decision: Decision, total: int, *, ascii_only: bool = False) -> list[Line]:
    """Return the decision as lines of at most `total` terminal columns."""
    facts = decision_facts(decision)
    met = {f"target {outcome.target.name}": outcome.met for outcome in decision.targets}
    lines: list[Line] = [(Span(""),)]
    for line in fact_lines(facts, total, ascii_only=ascii_only):
        label, text = line
        is_met = met.get(label.text.strip())
        style: Style = (
            "head" if label.text.strip() == "decision" else "good" if is_met else "bad" if is_met is False else ""
        )
        lines.append((label, Span(text.text, style)))
    return lines


def _target(outcome: TargetOutcome) -> str:
    target = outcome.target.range.text
    if outcome.speedup is None:
        return f"asked {target}, not known: {outcome.reason}"
    word = "met" if outcome.met else "missed"
    speedup = times_text(outcome.speedup, outcome.target.range.contains)
    return f"{word}: {speedup} over {counted(outcome.rows, 'row')}, asked {target}"


def _verdict(decision: Decision) -> str:
    if decision.speedup is None or decision.range is None:
        return "none: no row can be compared"
    rows = counted(decision.rows, "row")
    speedup = times_text(decision.speedup, decision.range.contains)
    return f"{decision.verdict}: geometric mean of the speedups {speedup} over {rows} lies in {decision.range.text}"
