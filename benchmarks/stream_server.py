"""A streaming server with programmed delays, for measuring load generators: `start` runs it in a process of its own.

It parses no more of HTTP than it needs and sends from timers, so that it stays far below the clients' own CPU time.
"""

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Delays:
    """When the server sends: the first token, then `tokens - 1` more, and a chunk that only finishes the answer."""

    ttft_s: float
    itl_s: float
    tokens: int


def _event(body: object) -> bytes:
    data = f"data: {json.dumps(body)}\n\n".encode()
    return b"%x\r\n%s\r\n" % (len(data), data)


def _token(text: str, reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "logprobs": None, "finish_reason": reason}
    return _event(
        {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    )


class _Connection(asyncio.Protocol):
    def __init__(self, delays: Delays) -> None:
        self._delays = delays
        self._received = b""
        self._loop = asyncio.get_running_loop()
        usage = {"prompt_tokens": 8, "completion_tokens": delays.tokens + 1}
        self._end = _token("", "stop") + _event({"choices": [], "usage": usage})
        self._end += b"%x\r\n%s\r\n0\r\n\r\n" % (len(DONE), DONE)
        self._words = [_token(f" w{number}") for number in range(delays.tokens)]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        length = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
        )
        if len(body) < length:
            return
        self._received = body[length:]
        now = self._loop.time()
        self._transport.write(HEAD)
        for number, word in enumerate([*self._words, self._end]):
            self._loop.call_at(now + self._delays.ttft_s + number * self._delays.itl_s, self._send, word)

    def _send(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)


async def _serve(delays: Delays) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(delays), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def start(delays: Delays) -> Iterator[str]:
    """Run a server with these delays and yield the URL of its chat endpoint."""
    command = [sys.executable, __file__, str(delays.ttft_s), str(delays.itl_s), str(delays.tokens)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1/chat/completions"
        finally:
            process.terminate()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ttft_s", type=float)
    parser.add_argument("itl_s", type=float)
    parser.add_argument("tokens", type=int)
    given = parser.parse_args()
    asyncio.run(_serve(Delays(given.ttft_s, given.itl_s, given.tokens)))
