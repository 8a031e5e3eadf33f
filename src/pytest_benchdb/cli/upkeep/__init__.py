"""cli/upkeep."""
