"""operations/select/filters."""
