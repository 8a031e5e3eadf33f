"""store/history."""
