"""Records benchmarks outside pytest: in scripts, notebooks and consoles, with the `Bench` of the fixtures."""
