"""operations/exchange."""
