"""Commands about many sessions: trend, noise, correlate, fit, predict."""
