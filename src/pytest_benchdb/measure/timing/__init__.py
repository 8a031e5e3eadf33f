"""Timing: rounds of one function, phases inside a run, and the block clock of phases and training steps."""
