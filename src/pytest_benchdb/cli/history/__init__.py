"""Commands about many sessions: trend, noise, correlate, predict."""
