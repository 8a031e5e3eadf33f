"""environment/machine."""
