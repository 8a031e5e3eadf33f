"""A tiny server with OpenAI's streaming API and a pretended model; only the standard library.

Reading a prompt takes 0.2 ms per word, each word of the answer 2 ms. Prints its URL and serves until it is
stopped: ``python server.py``.
"""

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PREFILL_S_PER_WORD = 0.0002
DECODE_S_PER_WORD = 0.002


class Handler(BaseHTTPRequestHandler):
    """Answers every POST with a stream of server-sent events."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        prompt = " ".join(str(message["content"]) for message in asked["messages"])
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        words_in, words_out = len(prompt.split()), asked["max_tokens"]
        self.send({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})
        time.sleep(PREFILL_S_PER_WORD * words_in)
        for number in range(words_out):
            time.sleep(DECODE_S_PER_WORD)
            self.send({"choices": [{"index": 0, "delta": {"content": f"word{number} "}}]})
        self.send({"choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]})
        self.send({"choices": [], "usage": {"prompt_tokens": words_in, "completion_tokens": words_out}})
        self.write("data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def send(self, body):
        self.write(f"data: {json.dumps(body)}\n\n")

    def write(self, text):
        data = text.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def log_message(self, *_):
        """Say nothing."""


class Server(ThreadingHTTPServer):
    daemon_threads = True


def main():
    server = Server(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_address[1]}/v1/chat/completions", flush=True)  # noqa: T201
    server.serve_forever()


if __name__ == "__main__":
    main()
