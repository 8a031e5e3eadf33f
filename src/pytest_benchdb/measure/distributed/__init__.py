"""A function on several ranks: `run` starts the processes, `rank_process` is one of them, `ranks` combines rows."""
