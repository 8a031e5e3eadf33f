"""Watches tests and turns each finished one into a `Run`; `plugin.bench` has the fixtures that measure."""
