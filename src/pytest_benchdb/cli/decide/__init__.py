"""cli/decide."""
