"""operations/select."""
