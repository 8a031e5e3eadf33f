"""A function on several ranks: `run` plans, `launch` starts processes, `rank_process` is one, `ranks` sums up."""
