"""Statistics of plain numbers: tests, intervals, ranks and spreads. `rules` applies them to benchmarks."""
