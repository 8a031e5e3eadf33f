"""operations/upkeep."""
