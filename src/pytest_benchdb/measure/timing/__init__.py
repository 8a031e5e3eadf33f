"""measure/timing."""
