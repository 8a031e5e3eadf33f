"""operations/read."""
