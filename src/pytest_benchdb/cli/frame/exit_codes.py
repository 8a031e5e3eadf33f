"""What the exit status of a command means; 1 is kept for a gate that failed."""

FINE = 0
GATE_FAILED = 1
USAGE = 2
NO_BASELINE = 3
"""Nothing to compare, where the user demanded something."""
UNSTABLE = 4
"""The machine was too disturbed to judge, under `--strict`."""
DATABASE = 5
INTERNAL = 70
INTERRUPTED = 130
"""128 + SIGINT, as shells report it."""
BROKEN_PIPE = 141
"""128 + SIGPIPE: the reader of a pipe had enough. Not 1, which would read as a failed gate."""
