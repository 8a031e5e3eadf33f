"""cli/read."""
