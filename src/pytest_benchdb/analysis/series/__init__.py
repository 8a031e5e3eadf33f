"""analysis/series."""
