"""Clocks: rounds of one function, phases inside a run, and the block clock that both of them read."""
