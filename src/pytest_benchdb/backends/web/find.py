"""Finds Playwright and a Chromium without starting either."""

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from pytest_benchdb.model.probe import Probe

VARIABLE = "BENCHDB_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge")
NO_PLAYWRIGHT = "playwright is not installed; pip install 'pytest-benchdb[web]'"
NO_CHROMIUM = (
    "no Chromium found; install one (Debian: apt-get install chromium), run `playwright install chromium`, "
    f"or name the program in {VARIABLE}"
)

# Where these systems put programs that are on no PATH.
_APPLICATIONS = {
    "darwin": (
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
    ),
    "win32": (
        r"C:\Program Files\Google\Chrome\Application\chrome.exe",
        r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
    ),
}
# Where Playwright keeps the browsers it downloads, below the user's home, and the program within one of them.
_CACHES = {
    "linux": ".cache/ms-playwright",
    "darwin": "Library/Caches/ms-playwright",
    "win32": "AppData/Local/ms-playwright",
}
_DOWNLOADED = (
    "chromium-*/chrome-linux*/chrome",
    "chromium-*/chrome-mac*/*.app/Contents/MacOS/*",
    "chromium-*/chrome-win*/chrome.exe",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """Where to look; parameters, so that a test can be another machine.

    Attributes:
        environ: the environment variables.
        home: the user's home folder.
        platform: `sys.platform`.
        which: finds a program on the PATH.
        version_of: returns the version of an installed distribution, or raises `PackageNotFoundError`.
    """

    environ: Mapping[str, str]
    home: Path
    platform: str = sys.platform
    which: Callable[[str], str | None] = shutil.which
    version_of: Callable[[str], str] = metadata.version

    @classmethod
    def this(cls) -> "Host":
        """Return the machine that this process runs on."""
        return cls(environ=os.environ, home=Path("~").expanduser())


def find_chromium(host: Host) -> Path | None:
    """Return the Chromium to start: the one that was named, one on the PATH, an application, or Playwright's own."""
    if named := host.environ.get(VARIABLE):
        return Path(named) if Path(named).is_file() else None
    for name in NAMES:
        if found := host.which(name):
            return Path(found)
    for path in _APPLICATIONS.get(host.platform, ()):
        if Path(path).is_file():
            return Path(path)
    return _downloaded(host)


def probe(host: Host) -> Probe:
    """Tell whether a browser could be started; neither Playwright nor a browser is."""
    try:
        version = host.version_of("playwright")
    except metadata.PackageNotFoundError:
        return Probe(available=False, reason=NO_PLAYWRIGHT)
    versions = {"playwright": version}
    if find_chromium(host) is not None:
        return Probe(available=True, versions=versions)
    if named := host.environ.get(VARIABLE):
        return Probe(available=False, reason=f"no Chromium found; {VARIABLE}={named} is not a file", versions=versions)
    return Probe(available=False, reason=NO_CHROMIUM, versions=versions)


def _downloaded(host: Host) -> Path | None:
    folder = host.environ.get("PLAYWRIGHT_BROWSERS_PATH")
    root = Path(folder) if folder else host.home / _CACHES.get(host.platform, _CACHES["linux"])
    found: Sequence[Path] = [path for pattern in _DOWNLOADED for path in root.glob(pattern) if path.is_file()]
    # chromium-1148 is newer than chromium-998: by number, not by name.
    return max(found, key=lambda path: _revision(path.relative_to(root).parts[0]), default=None)


def _revision(folder: str) -> int:
    number = folder.rpartition("-")[2]
    return int(number) if number.isdecimal() else 0
