"""analysis/statistics."""
