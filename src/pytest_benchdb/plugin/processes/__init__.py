"""plugin/processes."""
