"""plugin/bench."""
