"""Statistics of plain numbers: tests, intervals, ranks and spreads. What they mean for a benchmark is in `rules`."""
