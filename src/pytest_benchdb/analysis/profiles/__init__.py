"""Differences of two profiles: which function caused the growth, and the tree of both for a flame graph."""
