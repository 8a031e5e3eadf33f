"""How far the metrics of a token stream are off the programmed delays of a server on this machine.

    python benchmarks/stream_accuracy.py [--repeat 5]

The server of the tests runs in this process. TTFT and end-to-end latency include the way of a request through two HTTP
stacks; ITL and TPOT are differences and do not.
"""

import argparse
import os
import sys
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.measure.stream.token_server import chat, running  # noqa: E402 - the root is on the path only now

from pytest_benchdb.measure.stream import StreamPlan, run_stream  # noqa: E402

TTFT_S, GAP_S, TOKENS = 0.060, 0.020, 6
PROGRAMMED_S = {"ttft": TTFT_S, "itl": GAP_S, "tpot": GAP_S, "e2e_latency": TTFT_S + GAP_S * (TOKENS - 1)}


def main() -> None:
    """Print the difference of each metric's median from its programmed delay, one line for each repetition."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=5)
    repeat = parser.parse_args().repeat
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; milliseconds above the programmed delay")
    with running() as server:
        server.script = chat(TTFT_S, GAP_S, TOKENS)
        for _ in range(repeat):
            result = run_stream(server.url(), StreamPlan(requests=5, warmup_requests=2, timeout_s=20.0))
            medians = {row.metric: median(row.samples) for row in result.measurements if row.samples}
            print("  ".join(f"{name} {(medians[name] - delay) * 1e3:+.3f}" for name, delay in PROGRAMMED_S.items()))


if __name__ == "__main__":
    main()
