"""What the exit status of a command means; 1 is kept for a gate that failed."""

FINE = 0
USAGE = 2
DATABASE = 5
INTERNAL = 70
INTERRUPTED = 130
"""128 + SIGINT, as shells report it."""
BROKEN_PIPE = 141
"""128 + SIGPIPE: the reader of a pipe had enough. Not 1, which would read as a failed gate."""
