"""The gate: a comparison of one session with its history, plus re-runs, allowances and an exit status."""
