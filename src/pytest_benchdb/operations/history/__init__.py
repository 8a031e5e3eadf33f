"""Questions about many sessions: trends, noise, correlation, estimates. Judging sides is in `compare` and `gate`."""
