"""Series of many sessions: where the level changed, what stands out, how much values vary. Verdicts are in `rules`."""
