"""Finding Playwright and a Chromium on machines made of temporary folders."""

from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path

import pytest

from pytest_benchdb.backends.web.browser import NAMES, NO_CHROMIUM, NO_PLAYWRIGHT, VARIABLE, Host, find_chromium, probe


def version_of(name: str) -> str:
    assert name == "playwright"
    return "1.65.2"


def not_installed(name: str) -> str:
    raise metadata.PackageNotFoundError(name)


def host(
    home: Path,
    environ: Mapping[str, str] | None = None,
    path: Mapping[str, str] | None = None,
    version: Callable[[str], str] = version_of,
) -> Host:
    programs = path or {}
    return Host(environ=environ or {}, home=home, platform="linux", which=programs.get, version_of=version)


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_find_chromium_named_program_comes_before_the_path(tmp_path: Path) -> None:
    mine = program(tmp_path / "mine")

    found = find_chromium(host(tmp_path, {VARIABLE: str(mine)}, {"chromium": "/usr/bin/chromium"}))

    assert found == mine


def test_find_chromium_does_not_replace_a_missing_named_program(tmp_path: Path) -> None:
    machine = host(tmp_path, {VARIABLE: "/nowhere/chromium"}, {"chromium": "/usr/bin/chromium"})

    assert find_chromium(machine) is None
    assert probe(machine).reason == f"no Chromium found; {VARIABLE}=/nowhere/chromium is not a file"


@pytest.mark.parametrize("name", NAMES)
def test_find_chromium_takes_each_name_from_the_path(tmp_path: Path, name: str) -> None:
    assert find_chromium(host(tmp_path, path={name: f"/opt/{name}"})) == Path(f"/opt/{name}")


def test_find_chromium_prefers_chromium_to_chrome(tmp_path: Path) -> None:
    machine = host(tmp_path, path={"google-chrome": "/opt/chrome", "chromium": "/usr/bin/chromium"})

    assert find_chromium(machine) == Path("/usr/bin/chromium")


def test_find_chromium_takes_playwrights_newest_by_number(tmp_path: Path) -> None:
    program(tmp_path / ".cache/ms-playwright/chromium-998/chrome-linux/chrome")
    newest = program(tmp_path / ".cache/ms-playwright/chromium-1148/chrome-linux/chrome")

    assert find_chromium(host(tmp_path)) == newest


def test_find_chromium_looks_in_the_folder_of_playwrights_variable(tmp_path: Path) -> None:
    kept = program(tmp_path / "browsers/chromium-1200/chrome-linux64/chrome")

    assert find_chromium(host(tmp_path, {"PLAYWRIGHT_BROWSERS_PATH": str(tmp_path / "browsers")})) == kept


def test_probe_with_both_reports_playwrights_version(tmp_path: Path) -> None:
    state = probe(host(tmp_path, path={"chromium": "/usr/bin/chromium"}))

    assert (state.available, state.reason, state.versions) == (True, None, {"playwright": "1.65.2"})


def test_probe_without_playwright_says_what_to_install(tmp_path: Path) -> None:
    state = probe(host(tmp_path, path={"chromium": "/usr/bin/chromium"}, version=not_installed))

    assert (state.available, state.reason) == (False, NO_PLAYWRIGHT)


def test_probe_without_chromium_says_how_to_get_one(tmp_path: Path) -> None:
    state = probe(host(tmp_path))

    assert (state.available, state.reason) == (False, NO_CHROMIUM)
