"""operations/history."""
