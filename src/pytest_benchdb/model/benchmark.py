"""A benchmark (stable across sessions), its labels, and the location of its code in a checkout."""

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_benchdb.model.identity import content_id

WORKLOADS = ("training", "inference", "serving", "microbenchmark", "scenario")
"""Values of `Labels.workload`; comments of `schema.sql` repeat them."""

COMMAND_FILE = "command"
"""What `Benchmark.file` is for a command line, which is in no file: ``command::make all``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """The labels that `@pytest.mark.benchdb(...)` gives a benchmark; None means not given.

    Attributes:
        workload: one of `WORKLOADS`.
    """

    model: str | None = None
    version: str | None = None
    framework: str | None = None
    framework_version: str | None = None
    use_case: str | None = None
    implementation: str | None = None
    workload: str | None = None
    precision: str | None = None
    batch_size: int | None = None
    sequence_length: int | None = None

    @property
    def model_id(self) -> str | None:
        """The key of the model; None without a model."""
        return None if self.model is None else content_id("model", self.model)

    @property
    def model_version_id(self) -> str | None:
        """The key of the model at this version and precision; None without a model."""
        if self.model is None:
            return None
        return content_id("model_version", self.model, self.version, self.precision)

    @property
    def framework_id(self) -> str | None:
        """The key of the framework at this version; None without a framework."""
        if self.framework is None:
            return None
        return content_id("framework", self.framework, self.framework_version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """A test and its parameters.

    Attributes:
        benchmark_id: content hash of `project` and `fullname`.
        project: name of the project, the same in every checkout.
        fullname: node id relative to the project's root: ``tests/test_a.py::test_b[c]``.
        file: the path part of `fullname`, with forward slashes.
        class_name: enclosing classes joined by ``::``; None for a plain function.
        function: name of the test function, without parameters.
        name: function and parameters, as pytest shows it.
        group_name: pytest-benchmark's group; None for none.
        params: parameter names and values as JSON values; None without parameters.
        param_id: pytest's id of the parameters, the text between the brackets.
        code_hash: hash of the test's source lines; None without source.
    """

    benchmark_id: str
    project: str
    fullname: str
    file: str
    class_name: str | None
    function: str
    name: str
    group_name: str | None
    params: Mapping[str, object] | None
    param_id: str | None
    code_hash: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A line of a file.

    Attributes:
        file: path from the root of the checkout, with forward slashes.
        line: the line of ``def``, counted from 1.
    """

    file: str
    line: int
