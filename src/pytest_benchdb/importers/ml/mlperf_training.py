"""What the ``:::MLLOG`` lines of an MLPerf training run say."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_benchdb.errors import ImportFormatError
from pytest_benchdb.importers.reading.figures import figure, named, param_id
from pytest_benchdb.importers.reading.machine import Machine
from pytest_benchdb.importers.reading.values import count, json_object, mapping, moment_us, number, text
from pytest_benchdb.model.benchmark import Labels
from pytest_benchdb.model.imported import ImportedRun, ImportedSession
from pytest_benchdb.model.run import Measurement, Outcome

_TRACKED = {"throughput": ("throughput", "1/s"), "train_step_time": ("step_time", "s")}
_IDENTITY = ("submission_division", "global_batch_size", "max_sequence_length", "lora_rank")


def training_session(lines: Sequence[Mapping[str, Any]]) -> ImportedSession:
    """Return the one run: its time to train from ``run_start`` to ``run_stop``, and what it tracked on the way.

    Raises:
        ImportFormatError: the run never began.
    """
    facts = {line["key"]: line.get("value") for line in reversed(lines)}  # the first of each
    starts, stops = ([line for line in lines if line["key"] == key] for key in ("run_start", "run_stop"))
    first = _moment(starts[0]) if starts else None
    if first is None:
        raise ImportFormatError("it has no run_start: the training never began")
    last = _moment(stops[-1]) if stops else None
    outcome, reason = _outcome(stops)
    params = {"model": text(facts.get("submission_benchmark")), **{name: facts.get(name) for name in _IDENTITY}}
    params = {name: value for name, value in params.items() if isinstance(value, (str, int, float))}
    system = "/".join(filter(None, (text(facts.get(f"submission_{part}")) for part in ("org", "platform"))))
    run = ImportedRun(
        fullname=named("mlperf training", params),
        params=json_object(params),
        param_id=param_id(params),
        measurements=tuple(_measurements(lines, first, last)),
        labels=Labels(
            model=text(facts.get("submission_benchmark")),
            workload="training",
            batch_size=count(facts.get("global_batch_size")),
            sequence_length=count(facts.get("max_sequence_length")),
        ),
        outcome=outcome,
        reason=reason,
        started_unix_us=first,
        duration_s=None if last is None else (last - first) / 1e6,
        extra_info=json_object({name: value for name, value in facts.items() if isinstance(value, (str, int, float))}),
    )
    return ImportedSession(
        started_unix_us=first,
        finished_unix_us=last,
        tool="mlperf training",
        environment=Machine(hostname=system, details={"system": system}).environment if system else None,
        runs=(run,),
        rows=1,
    )


def _moment(line: Mapping[str, Any]) -> int | None:
    return moment_us(line.get("time_ms"))


def _outcome(stops: Sequence[Mapping[str, Any]]) -> tuple[Outcome, str | None]:
    if not stops:
        return "crashed", "it has no run_stop: the training did not end"
    status = mapping(stops[-1].get("metadata")).get("status")
    return ("passed", None) if status == "success" else ("failed", f"the run ended with the status {text(status)}")


def _measurements(lines: Sequence[Mapping[str, Any]], first: int, last: int | None) -> Iterator[Measurement]:
    if last is None:
        yield Measurement.of("wall_time", provenance="imported", reason="the training did not end")
    else:
        yield figure("wall_time", "ms", (last - first) / 1e3, source_name="run_stop - run_start")
    tracked = [mapping(line.get("value")) for line in lines if line["key"] == "tracked_stats"]
    for name, (metric, unit) in _TRACKED.items():
        values = [value for entry in tracked if (value := number(entry.get(name))) is not None]
        if values:
            yield figure(metric, unit, values, source_name=f"tracked_stats.{name}")
    scores = [
        score for line in lines if line["key"] == "eval_accuracy" and (score := number(line.get("value"))) is not None
    ]
    if scores:
        yield figure("eval_accuracy", "1", scores[-1], source_name="the last eval_accuracy")
