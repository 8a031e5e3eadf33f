"""plugin/ending."""
