"""operations/compare."""
