"""measure/process."""
