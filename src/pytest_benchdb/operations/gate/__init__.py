"""operations/gate."""
