"""operations/select/spec."""
