"""Counting instructions: run a suite's pytest under a counter, and return what it recorded."""
