"""Take the pictures of the documentation, of a history that is made up and looks like one of a real project.

From the root of the checkout: ``python -m docs.screenshots FOLDER``. It needs Chromium and the extras `html` and `web`.
"""

import argparse
import hashlib
import random
import subprocess
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cli.conftest import CPU, make_run, make_session

from pytest_benchdb.backends.web.browser import Host, find_chromium
from pytest_benchdb.model.environment import CiJob, Commit
from pytest_benchdb.model.reading import Series
from pytest_benchdb.model.run import Measurement, Request, Run

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SESSIONS = 60
SUITE = {
    "tests/bench_json.py::test_dumps[small]": 4.1e-6,
    "tests/bench_json.py::test_dumps[large]": 1.9e-3,
    "tests/bench_json.py::test_loads[small]": 5.2e-6,
    "tests/bench_json.py::test_loads[large]": 2.6e-3,
    "tests/bench_render.py::test_template[1]": 38e-6,
    "tests/bench_render.py::test_template[100]": 3.4e-3,
    "tests/bench_search.py::test_index": 0.21,
    "tests/bench_search.py::test_query[phrase]": 810e-6,
    "tests/bench_search.py::test_query[prefix]": 145e-6,
}
CHANGES = {
    "tests/bench_json.py::test_dumps[large]": [(38, 1.18)],
    "tests/bench_render.py::test_template[100]": [(20, 0.71)],
    "tests/bench_search.py::test_query[phrase]": [(16, 1.25), (45, 0.78)],
}
SUBJECTS = ("Escape line separators in strings", "Cache compiled templates", "Check indexes when they are opened")
PICTURES = {
    "report-light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "report-dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "report-phone": {"viewport": {"width": 360, "height": 800}, "color_scheme": "light"},
}
OPENED = "tests/bench_search.py::test_query[phrase]"


def level_of(name: str, at: int) -> float:
    """Return the seconds around which a benchmark's rounds lie in a session."""
    level = SUITE[name]
    for since, factor in CHANGES.get(name, ()):
        level *= factor if at >= since else 1.0
    return level


def suite_run(name: str, at: int, chance: random.Random) -> Run:
    """Return a run of a benchmark with its memory."""
    level = level_of(name, at) * (1 + chance.gauss(0, 0.008))
    if at == 27 and "index" in name:
        level *= 1.5  # one session that was disturbed
    samples = [level * (1 + abs(chance.gauss(0, 0.015)) + (chance.random() < 0.06) * 0.2) for _ in range(60)]
    memory = 2**20 * (2.0 if "large" in name else 0.6) * (1.3 if at >= 30 and "loads" in name else 1)
    times = Measurement.of("wall_time", round_ns=[round(seconds * 1e9) for seconds in samples])
    python_peak = Measurement.of("python_peak", value=float(round(memory * (1 + chance.gauss(0, 0.002)))))
    return make_run(name, samples, measurements=(times, python_peak), params={"case": name.partition("[")[2][:-1]})


def chat_run(chance: random.Random) -> Run:
    """Return a run that answered requests, with phases and a sensor."""
    sent = [0.05 * number + chance.uniform(0, 0.02) for number in range(80)]
    requests = []
    for number, time in enumerate(sent):
        first = time + chance.uniform(0.04, 0.06) * (1 + number / 80)
        chunks = [first + step * chance.uniform(0.008, 0.012) for step in range(24)]
        ok = number != 61
        requests.append(
            Request(
                index=number,
                due_s=None,
                sent_s=time,
                chunk_s=sorted(chunks) if ok else [],
                tokens_in=128,
                tokens_out=24 if ok else None,
                ok=ok,
                slo_ok=None,
                error=None if ok else "HTTP 503",
            )
        )
    latencies = [request.chunk_s[-1] - (request.sent_s or 0.0) for request in requests if request.ok]
    measured = (
        Measurement.of("e2e_latency", samples=latencies),
        Measurement.of("wall_time", samples=[1.4], phase="load"),
        Measurement.of("wall_time", samples=[0.31], phase="warm up"),
        Measurement.of("wall_time", samples=[4.2], phase="serve"),
    )
    times = [0.05 * step for step in range(90)]
    power = [38 + 30 * (0.6 < time < 4.0) + chance.gauss(0, 1.2) for time in times]
    course = Series(metric="power", unit="W", domain="package-0", device_id=None, t_s=times, values=power)
    return make_run(
        "tests/bench_chat.py::test_chat[8b]", [1e-3], measurements=measured, series=(course,), requests=tuple(requests)
    )


def write_history(folder: Path) -> None:
    """Write the sessions, and what people said about them."""
    chance = random.Random(13)
    for at in range(SESSIONS):
        runs = [suite_run(name, at, chance) for name in SUITE]
        if at == SESSIONS - 1:
            reason = "AssertionError: assert 412 == 413"
            runs.append(make_run("tests/bench_search.py::test_merge", None, outcome="failed", reason=reason))
        runs.append(chat_run(chance))
        commit = Commit(
            sha=hashlib.sha1(str(at).encode(), usedforsecurity=False).hexdigest(),
            branch="main",
            dirty=False,
            remote_url="https://github.com/example/quire.git",
            subject=SUBJECTS[at % 3],
        )
        job = CiJob(provider="github", url="https://github.com/example/quire/actions/runs/1")
        make_session(folder, runs, at=at * 24, project="quire", commit=commit, ci=job, devices=(CPU,))
    for command in (
        ["baseline", "set", "v2.0", f"latest~{SESSIONS - 11}"],
        ["note", "latest~32", "the runner was replaced"],
        ["accept", "*test_query*phrase*", "--reason", "checks its index now", "--since", f"latest~{SESSIONS - 17}"],
    ):
        subprocess.run([sys.executable, "-m", "pytest_benchdb", *command, "-d", str(folder)], check=True)


def take_pictures(browser: "Browser", page_file: Path, folder: Path) -> None:
    """Open the page as the readers of `PICTURES` do, and save what they see."""
    for name, options in PICTURES.items():
        page = browser.new_context(**options).new_page()
        page.goto(f"{page_file.as_uri()}#{OPENED}")
        page.locator(".detail .chart svg").first.wait_for()
        page.evaluate("window.scrollTo(0, 0)")
        page.screenshot(path=folder / f"{name}.png", full_page=True)
        if name == "report-light":
            page.get_by_role("searchbox").fill("search")
            taken = page.screenshot(clip={"x": 0, "y": 0, "width": 1280, "height": 1120}, full_page=True)
            (folder / "report.png").write_bytes(smaller(taken))
        page.context.close()


def smaller(png: bytes) -> bytes:
    """Return a PNG whose pixels are compressed as far as zlib goes; Chromium prefers speed."""
    kept, pixels, at = [], b"", 8
    while at < len(png):
        length = int.from_bytes(png[at : at + 4], "big")
        kind, content = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += 12 + length
        if kind == b"IDAT":
            pixels += content
        elif kind in (b"IHDR", b"IEND"):
            kept.append((kind, content))
    best = zlib.compress(zlib.decompress(pixels), 9)
    chunks = [kept[0], (b"IDAT", best), kept[1]]
    return png[:8] + b"".join(
        len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")
        for kind, content in chunks
    )


def main() -> None:
    """Write the history, the page and its pictures."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    results, page = folder / "history" / "results", folder / "report.html"
    if not results.exists():
        write_history(results)
    subprocess.run(
        [sys.executable, "-m", "pytest_benchdb", "report", str(results), "-q", "-o", str(page), "--baseline", "v2.0"],
        check=True,
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(Host.this()), args=["--no-sandbox"])
        take_pictures(browser, page, folder)
        browser.close()


if __name__ == "__main__":
    main()
