"""Starts and stops the process in which SQL from users runs; see `store.read.sandbox`."""

import contextlib
import pickle
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

from pytest_benchdb.errors import QueryError
from pytest_benchdb.store.child_command import child_command
from pytest_benchdb.store.read.sandbox import LENGTH_BYTES, Answer, Limits, serve

_START_S = 10.0
"""How much longer than a query's limit the process may take: to start, and to end the query by itself."""


class QueryProcess:
    """A process that answers queries about one database, started by the first and again after it was killed.

    Attributes:
        database: the file that it opens.
    """

    def __init__(self, database: str) -> None:
        """Start nothing yet.

        Args:
            database: the file; another process must be able to open it for reading.
        """
        self.database = database
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, sql: str, limits: Limits) -> Answer:
        """Run a user's statement.

        Raises:
            QueryError: it was refused, failed, or ran past a limit.
        """
        answer: Answer = self._request(sql, limits)
        return answer

    def close(self) -> None:
        """Stop the process, if it runs."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        process.wait()

    def _request(self, sql: str, limits: Limits) -> Any:
        process = self._process = self._process or self._started()
        answers: list[bytes] = []
        request = pickle.dumps((sql, limits))
        # In a thread, because a pipe cannot be read with a time limit on every system.
        thread = threading.Thread(target=lambda: answers.extend(_exchange(process, request)), daemon=True)
        thread.start()
        try:
            thread.join(limits.seconds + _START_S)
        except BaseException:  # Ctrl-C
            self.close()
            raise
        if answers:
            answer = pickle.loads(answers[0])  # noqa: S301 - our own process wrote it
            if isinstance(answer, Exception):
                raise answer
            return answer
        slow = thread.is_alive()
        self.close()
        if slow:
            message = f"the query ran longer than {limits.seconds:g} s and was stopped; narrow it down"
        else:
            message = "the query needed more memory than it may use and was stopped; narrow it down"
        raise QueryError(message)

    def _started(self) -> "subprocess.Popen[bytes]":
        command = child_command(serve, self.database)
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def _exchange(process: "subprocess.Popen[bytes]", request: bytes) -> Iterator[bytes]:
    """Send a request and yield the answer; nothing if the process died."""
    if process.stdin is None or process.stdout is None:
        return
    with contextlib.suppress(OSError, ValueError):
        process.stdin.write(len(request).to_bytes(LENGTH_BYTES, "big") + request)
        process.stdin.flush()
        length = int.from_bytes(process.stdout.read(LENGTH_BYTES), "big")
        content = process.stdout.read(length)
        if length and len(content) == length:
            yield content
