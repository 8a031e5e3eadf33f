"""store/fold."""
