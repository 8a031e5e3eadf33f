"""Keeps the one browser of this process, for every backend that needs one."""

import atexit
import os
import threading
from collections.abc import Callable
from pathlib import Path

from pytest_benchdb.backends.web.browser import Browser
from pytest_benchdb.backends.web.find import Host, find_chromium, probe
from pytest_benchdb.errors import BackendUnavailableError


class SharedBrowser:
    """The browser of this process: started by the first who asks, ended with the process.

    A forked child starts its own; the browser of its parent is not its to use.
    """

    def __init__(self, start: Callable[[Path], Browser] = Browser, host: Host | None = None) -> None:
        """Remember how to start it.

        Args:
            start: starts the browser of a program.
            host: where to look for the program; None for this machine.
        """
        self._start = start
        self._host = host
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._browser: Browser | None = None

    @property
    def host(self) -> Host:
        """Where its program is looked for."""
        return self._host or Host.this()

    def get(self) -> Browser:
        """Return the browser, started if need be; one that has crashed is replaced.

        Raises:
            BackendUnavailableError: there is none, or it does not start.
        """
        if self._pid != os.getpid():
            self._pid, self._lock, self._browser = os.getpid(), threading.Lock(), None
        with self._lock:
            if self._browser is None or not self._browser.answers():
                if self._browser is None:
                    atexit.register(self.close)
                self._browser = self._start(_executable(self.host))
            return self._browser

    def close(self) -> None:
        """End the browser, if this process started one."""
        if self._pid != os.getpid() or self._browser is None:
            return
        atexit.unregister(self.close)
        self._browser.close()
        self._browser = None


def _executable(host: Host) -> Path:
    state = probe(host)
    executable = find_chromium(host)
    if not state.available or executable is None:
        raise BackendUnavailableError(state.reason)
    return executable


SHARED = SharedBrowser()
"""The browser of this process."""
