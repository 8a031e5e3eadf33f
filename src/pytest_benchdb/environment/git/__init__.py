"""environment/git."""
