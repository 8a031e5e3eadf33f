"""A local HTTP server that streams server-sent events at programmed times and records when it sent each."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DONE = "data: [DONE]\n\n"


def event(body: object) -> str:
    return f"data: {json.dumps(body)}\n\n"


def delta(**said: object) -> str:
    return event({"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": said, "finish_reason": None}]})


def text(said: str) -> str:
    return event({"object": "text_completion", "choices": [{"index": 0, "text": said, "finish_reason": None}]})


def usage(tokens_in: int, tokens_out: int) -> str:
    return event({"choices": [], "usage": {"prompt_tokens": tokens_in, "completion_tokens": tokens_out}})


@dataclass(frozen=True)
class Script:
    """The server's answer: texts, each with its time in seconds after the request.

    `hangs` keeps the connection open without another byte; `cut` drops it without the end of the body.
    """

    sends: tuple[tuple[float, str], ...] = ()
    status: int = 200
    content_type: str = "text/event-stream"
    hangs: bool = False
    cut: bool = False


def chat(ttft_s: float, gap_s: float, tokens: int) -> Script:
    """A chat answer of one token per chunk, with a role-only chunk at once and the usage at the end."""
    role = (0.0, delta(role="assistant", content=""))
    words = tuple((ttft_s + gap_s * number, delta(content=f"w{number} ")) for number in range(tokens))
    end_s = ttft_s + gap_s * (tokens - 1)
    return Script(sends=(role, *words, (end_s, usage(7, tokens)), (end_s, DONE)))


@dataclass
class Log:
    """Records of the server: for each request its body, headers, arrival time and the time when each text was sent."""

    bodies: list[dict[str, object]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    received: list[float] = field(default_factory=list)
    sent: list[list[float]] = field(default_factory=list)


class TokenServer(ThreadingHTTPServer):
    """Answers every POST with `script`."""

    daemon_threads = True
    script = Script()

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.log = Log()
        self.lock = threading.Lock()
        self.released = threading.Event()
        self.connections = 0

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections += 1
        super().process_request(request, client_address)

    def url(self, path: str = "/v1/chat/completions") -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: TokenServer

    def do_POST(self) -> None:
        came = time.perf_counter()
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        script, stamps = self.server.script, list[float]()
        with self.server.lock:
            log = self.server.log
            log.bodies.append(body)
            log.headers.append(dict(self.headers))
            log.received.append(came)
            log.sent.append(stamps)
        with suppress(ConnectionError):
            self._answer(script, came, stamps)

    def _answer(self, script: Script, came: float, stamps: list[float]) -> None:
        self.send_response(script.status)
        self.send_header("Content-Type", script.content_type)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for at_s, said in script.sends:
            if (wait_s := came + at_s - time.perf_counter()) > 0:
                time.sleep(wait_s)
            data = said.encode()
            stamps.append(time.perf_counter())
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        if script.hangs:
            self.server.released.wait(30)
        if script.cut or script.hangs:
            self.close_connection = True
            return
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own
        """Do not log."""


@contextmanager
def running() -> Iterator[TokenServer]:
    server = TokenServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
