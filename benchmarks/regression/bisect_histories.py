"""Score `benchdb bisect` on generated histories of 64 commits with one planted change.

    python benchmarks/regression/bisect_histories.py FOLDER --by time --histories 3
    python benchmarks/regression/bisect_histories.py FOLDER --by instructions --histories 20
    python benchmarks/regression/bisect_histories.py FOLDER --replay --histories 200

Each history is a real repository with a package of five functions and their benchmarks. Its commits change comments of
the benchmarked module, documentation, or a module that no benchmark imports, as in a real project; one commit makes one
function 10 to 20 % slower. The real command runs, in real pytest processes. FOLDER keeps the sessions.

`--replay` searches with the times that the real searches recorded for the other benchmarks, in the order in which they
were recorded, with the change put in: so drift and disturbances are those of the machine.
"""

import argparse
import json
import math
import os
import random
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_benchdb.analysis.search.levels import EXACT, Levels, Noise, Reading, is_clear
from pytest_benchdb.analysis.search.search import Range, Standing, standing_of
from pytest_benchdb.operations.bisect.plan import UNLIKELY
from pytest_benchdb.operations.bisect.run import ENDS_SESSIONS, LEAST_TURNS
from pytest_benchdb.operations.exchange.open import open_source

COMMITS = 64
CONFIDENCE, STEPS, SESSIONS = 0.95, 14, 3
FUNCTIONS: Mapping[str, str] = {
    "add": "total = 0\n    for i in range(STEPS):\n        total += i * i\n    return total",
    "join": "return ''.join([str(i) for i in range(STEPS)])",
    "sort": "return sorted(range(STEPS), key=lambda i: -i % 97)",
    "count": "seen = {}\n    for i in range(STEPS):\n        seen[i % 61] = seen.get(i % 61, 0) + 1\n    return seen",
    "call": "return sum(map(abs, [i - 500 for i in range(STEPS)]))",
}
WORK = 1000
TEST = """
import pytest
import shop

@pytest.mark.parametrize("name", {names})
def test_work(bench_cpu, name):
    bench_cpu.options(max_time_s=0.15)(getattr(shop, name))
"""


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A generated history.

    Attributes:
        shas: full hashes, oldest first.
        culprit: place of the planted commit; that of the first commit is 0.
        name: of the function.
        size: of the change, as a share of its work.
    """

    root: Path
    shas: tuple[str, ...]
    culprit: int
    name: str
    size: float


def source(steps: Mapping[str, int], remarks: Sequence[str]) -> str:
    """Return the package with so many steps of work in each function."""
    parts = [f"def {name}():\n    {body.replace('STEPS', str(steps[name]))}\n" for name, body in FUNCTIONS.items()]
    return "\n\n".join(parts) + "".join(f"# {remark}\n" for remark in remarks)


def make_history(root: Path, seed: int) -> Planted:
    """Make a repository with one planted change."""
    generator = random.Random(seed)
    environ = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    environ |= {f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=root, env=environ, check=True, capture_output=True, text=True
        ).stdout

    def write(path: str, text: str) -> None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")

    root.mkdir(parents=True)
    git("init", "-q", "-b", "main")
    culprit, name = generator.randint(1, COMMITS - 1), generator.choice(sorted(FUNCTIONS))
    size = generator.uniform(0.1, 0.2)
    steps, remarks, notes = dict.fromkeys(FUNCTIONS, WORK), [], []
    write("pytest.ini", "[pytest]\n")
    write("tests/test_shop.py", TEST.format(names=list(FUNCTIONS)))
    shas = []
    for place in range(COMMITS):
        kind = generator.choice(("code", "docs", "other"))
        if place == culprit:
            steps[name] = round(WORK * (1 + size))
        elif kind == "docs":
            notes.append(f"Note {place}")
            write("docs/notes.md", "\n".join(notes))
        elif kind == "other":
            write("src/tools.py", f"NUMBER = {place}\n")
        else:
            remarks.append(f"remark {place}")
        write("src/shop.py", source(steps, remarks))
        git("add", "--all")
        git("commit", "-q", "--allow-empty", "-m", f"Change {place} ({kind})")
        shas.append(git("rev-parse", "HEAD").strip())
    return Planted(root=root, shas=tuple(shas), culprit=culprit, name=name, size=size)


def search_really(planted: Planted, by: str, record: Path) -> dict[str, object]:
    """Run the command and return its answer."""
    command = [
        *(sys.executable, "-m", "pytest_benchdb", "bisect", planted.shas[0], planted.shas[-1], "--metric", by),
        *("--record", os.fspath(record), "-f", "json", "--", "pytest", "-q", "tests"),
    ]
    done = subprocess.run(command, cwd=planted.root, capture_output=True, text=True, check=False)
    if not done.stdout:
        raise SystemExit(f"{planted.root}: {done.stderr}")
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def real(folder: Path, by: str, seeds: Sequence[int]) -> None:
    """Search generated histories with the real command, and print a line for each."""
    found = []
    for seed in seeds:
        planted = make_history(folder / f"{by}-{seed}" / "project", seed)
        (planted.root.parent / "planted.json").write_text(json.dumps(planted.name), encoding="utf-8")
        answer = search_really(planted, by, folder / f"{by}-{seed}" / "sessions")
        suspects = [one["sha"] for one in answer["suspects"]]  # type: ignore[attr-defined]
        right = suspects == [planted.shas[planted.culprit]]
        steps = max((one["number"] for one in answer["steps"]), default=0)  # type: ignore[attr-defined]
        found.append(right)
        print(
            f"{by} {seed}: {planted.name} {planted.size:+.1%} at {planted.culprit}: {'found' if right else 'missed'}, "
            f"{answer['outcome']} {answer['confidence']:.1%}, {len(answer['steps'])} steps, {answer['runs']} runs, "  # type: ignore[arg-type]
            f"{answer['seconds']:.0f} s (last step {steps})",
            flush=True,
        )
    print(f"{sum(found)} of {len(found)} found; {interval_text(sum(found), len(found))}")


def interval_text(hits: int, number: int) -> str:
    """Return Wilson's 95 % interval (E. B. Wilson, Journal of the American Statistical Association 22, 1927)."""
    z, share = 1.96, hits / number
    middle = (share + z * z / (2 * number)) / (1 + z * z / number)
    reach = z * math.sqrt(share * (1 - share) / number + z * z / (4 * number * number)) / (1 + z * z / number)
    return f"{max(0.0, middle - reach):.1%} to {min(1.0, middle + reach):.1%}"


def recorded_noise(folder: Path) -> list[list[float]]:
    """Return the logarithms of the smallest rounds of each benchmark that was not changed, in the order of time."""
    series: list[list[float]] = []
    for sessions in sorted(folder.glob("time-*/sessions")):
        with open_source([sessions]) as reader:
            rows = sorted(reader.sessions(), key=lambda row: row.session_id)
            read = reader.session_values([row.session_id for row in rows], metrics=("wall_time",))
        by_name: dict[str, dict[str, float]] = {}
        for value in read:
            if value.min:
                by_name.setdefault(value.key.fullname, {})[value.session_id] = math.log(value.min)
        planted = json.loads((sessions.parent / "planted.json").read_text(encoding="utf-8"))
        series += [
            [values[row.session_id] for row in rows if row.session_id in values]
            for name, values in by_name.items()
            if f"[{planted}]" not in name
        ]
    return series


def replay(noise: Sequence[float], seed: int, size: float) -> tuple[bool, Standing, int]:
    """Search a simulated history whose sessions have recorded times; return whether it is found, and the steps."""
    generator = random.Random(seed)
    last = COMMITS - 1
    culprit, at = generator.randint(1, last), generator.randrange(len(noise))
    likely = [place == culprit or generator.random() < 1 / 3 for place in range(1, last + 1)]
    range_ = Range(last=last, weights=tuple(1.0 if one else UNLIKELY for one in likely))
    readings: list[Reading] = []

    def measure(step: int, places: Sequence[int], times: int, levels: Levels | None = None) -> None:
        nonlocal at
        for turn in range(times):
            for place in places if turn % 2 == 0 else places[::-1]:
                value = noise[at % len(noise)] + (math.log1p(size) if place >= culprit else 0.0)
                readings.append(Reading(commit=place, step=step, value=value))
                at += 1
            own = [reading for reading in readings if reading.step == step]
            if levels is not None and turn + 1 >= LEAST_TURNS and is_clear(own, levels, Noise(), commit=places[1]):
                break

    measure(0, (0, last), ENDS_SESSIONS)
    standing, step = standing_of(range_, readings, Noise(), confidence=CONFIDENCE), 0
    while standing.next is not None and standing.levels is not None and step < STEPS:
        step += 1
        measure(step, (standing.levels.good, standing.next, standing.levels.bad), SESSIONS, standing.levels)
        standing = standing_of(range_, readings, Noise(), confidence=CONFIDENCE)
    suspects = standing.suspects
    right = (suspects.first, suspects.last) == (culprit, culprit) and suspects.probability >= CONFIDENCE
    return right, standing, step


def count_runs(seed: int, size: float, spread: float) -> tuple[bool, int]:
    """Search a simulated history whose counts vary by a spread; return whether it is found, and all runs."""
    generator = random.Random(seed)
    last = COMMITS - 1
    culprit = generator.randint(1, last)
    likely = [place == culprit or generator.random() < 1 / 3 for place in range(1, last + 1)]
    range_ = Range(last=last, weights=tuple(1.0 if one else UNLIKELY for one in likely))
    readings: list[Reading] = []

    def measure(place: int) -> None:
        level = math.log1p(size) if place >= culprit else 0.0
        readings.append(Reading(commit=place, step=0, value=level + generator.gauss(0, spread)))

    for place in (0, last):
        measure(place)
    standing = standing_of(range_, readings, EXACT, confidence=CONFIDENCE)
    while standing.next is not None and len(readings) < STEPS + 2:
        measure(standing.next)
        standing = standing_of(range_, readings, EXACT, confidence=CONFIDENCE)
    suspects = standing.suspects
    right = (suspects.first, suspects.last) == (culprit, culprit) and suspects.probability >= CONFIDENCE
    return right, len(readings)


def replayed(folder: Path, number: int) -> None:
    """Search simulated histories, and print the shares that were found."""
    series = [each for each in recorded_noise(folder) if len(each) >= 30]
    if not series:
        raise SystemExit(f"{folder} has no sessions of --by time; record some first")
    print(f"noise of {len(series)} series, {sum(map(len, series))} values")
    for size in (0.05, 0.1, 0.15, 0.2):
        ends = [replay(series[seed % len(series)], seed, size) for seed in range(number)]
        right = sum(one for one, *_ in ends)
        sure = [one for one, standing, _ in ends if standing.likeliest.probability >= CONFIDENCE]
        steps = sorted(step for *_, step in ends)
        print(
            f"+{size:.0%}: found {right} of {number} ({interval_text(right, number)}); sure and right "
            f"{sum(sure)} of {len(sure)}; steps: median {steps[number // 2]}, most {steps[-1]}"
        )


def counted(number: int) -> None:
    """Search simulated histories by count, and print the shares that were found."""
    for spread in (0.0005, 0.002):
        ends = [count_runs(seed, random.Random(seed).uniform(0.1, 0.2), spread) for seed in range(number)]
        right, runs = sum(one for one, _ in ends), sorted(runs for _, runs in ends)
        print(
            f"by count, spread {spread:.2%}: found {right} of {number} ({interval_text(right, number)}); "
            f"runs with both ends: median {runs[number // 2]}, at most 7 in {sum(one <= 7 for one in runs)}, "
            f"most {runs[-1]}"
        )


def main() -> None:
    """Read the options and score."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--by", choices=("time", "instructions"), default="time")
    parser.add_argument("--histories", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--replay", action="store_true")
    given = parser.parse_args()
    if given.replay:
        counted(given.histories)
        replayed(given.folder, given.histories)
    else:
        real(given.folder, given.by, range(given.first, given.first + given.histories))


if __name__ == "__main__":
    main()
