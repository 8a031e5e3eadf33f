"""Results over many sessions, as text and as data: trends, noise, correlations, estimates."""
