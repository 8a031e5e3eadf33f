"""measure/distributed."""
