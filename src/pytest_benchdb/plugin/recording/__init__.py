"""Watches tests run and turns each finished one into a `Run`; what they measure themselves is in `plugin.bench`."""
