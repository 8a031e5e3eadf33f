"""Command lines as benchmarks: `commands` reads what to run, `measure` runs it in turns, and `record` stores it."""
