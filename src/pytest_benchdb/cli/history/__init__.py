"""The commands about many sessions: trend, noise, correlate, predict."""
