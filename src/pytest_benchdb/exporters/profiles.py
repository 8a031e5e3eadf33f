"""Profiles in the formats of other tools: collapsed stacks, speedscope, and callgrind's.

Collapsed stacks are read by flamegraph.pl, inferno and speedscope, one line per path: ``a;b;c 12``. Speedscope's format
is described at https://www.speedscope.app/file-format-schema.json, and callgrind's, which KCachegrind reads, in
https://valgrind.org/docs/manual/cl-format.html.
"""

import json
import re
from collections import defaultdict
from collections.abc import Sequence

from pytest_benchdb import __version__
from pytest_benchdb.model.profile import Profile

_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SPEEDSCOPE = "https://www.speedscope.app/file-format-schema.json"


def collapsed_text(profile: Profile) -> str:
    """Return a line for each path that executed anything: its functions from the benchmark down, and its cost."""
    lines = []
    for path, frame in zip(_paths(profile), profile.frames, strict=True):
        if frame.cost:
            names = (_word(str(profile.functions[index])).replace(";", ",") for index in path)
            lines.append(f"{';'.join(names)} {frame.cost}\n")
    return "".join(lines)


def speedscope_text(profile: Profile, name: str) -> str:
    """Return a profile for speedscope, named after its benchmark."""
    used = [(path, frame.cost) for path, frame in zip(_paths(profile), profile.frames, strict=True) if frame.cost]
    document = {
        "$schema": _SPEEDSCOPE,
        "exporter": f"pytest-benchdb {__version__}",
        "name": name,
        "shared": {
            "frames": [{"name": one.name, "file": one.file, "line": one.line or None} for one in profile.functions]
        },
        "profiles": [
            {
                "type": "sampled",
                "name": f"{name}, {profile.unit}",
                "unit": "none",
                "startValue": 0,
                "endValue": profile.total,
                "samples": [path for path, _ in used],
                "weights": [cost for _, cost in used],
            }
        ],
    }
    return json.dumps(document, separators=(",", ":"))


def callgrind_text(profile: Profile) -> str:
    """Return a profile in callgrind's format; costs are at the first line of each function."""
    inclusive = _inclusive(profile)
    edges: defaultdict[int, defaultdict[int, int]] = defaultdict(lambda: defaultdict(int))
    for at, frame in enumerate(profile.frames):
        if frame.parent is not None:
            edges[profile.frames[frame.parent].function][frame.function] += inclusive[at]
    calls = {(one.caller, one.callee): one.calls for one in profile.calls}
    event = profile.unit.title().replace(" ", "")
    lines = ["# callgrind format", "version: 1", f"creator: pytest-benchdb {__version__}"]
    lines += ["positions: line", f"events: {event}", f"summary: {profile.total}", ""]
    costs = profile.self_costs()
    for index, function in enumerate(profile.functions):
        lines += [f"fl={_word(function.file)}", f"fn={_word(function.name)}", f"{function.line} {costs[index]}"]
        for callee, cost in edges[index].items():
            called = profile.functions[callee]
            lines += [f"cfi={_word(called.file)}", f"cfn={_word(called.name)}"]
            lines += [f"calls={calls.get((index, callee), 0)} {called.line}", f"{function.line} {cost}"]
        lines.append("")
    return "\n".join([*lines, f"totals: {profile.total}", ""])


def _paths(profile: Profile) -> Sequence[list[int]]:
    """Return the functions from the benchmark to each frame."""
    paths: list[list[int]] = []
    for frame in profile.frames:
        before = [] if frame.parent is None else paths[frame.parent]
        paths.append([*before, frame.function])
    return paths


def _inclusive(profile: Profile) -> list[int]:
    """Return the cost of each frame with all that it called."""
    costs = [frame.cost for frame in profile.frames]
    for at in range(len(costs) - 1, -1, -1):
        parent = profile.frames[at].parent
        if parent is not None:
            costs[parent] += costs[at]
    return costs


def _word(text: str) -> str:
    return _BREAKS.sub("?", text)
