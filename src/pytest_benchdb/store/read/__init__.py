"""store/read."""
