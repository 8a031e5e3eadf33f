"""The server runs in a process of its own: what it computes must not slow down the process that measures it."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def server_url():
    command = [sys.executable, Path(__file__).with_name("server.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()
