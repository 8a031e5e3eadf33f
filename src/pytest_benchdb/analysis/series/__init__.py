"""Series of many sessions: change points, anomalies, creep and noise. Verdicts are in `rules`."""
