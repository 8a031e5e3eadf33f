"""Readers of what other tools wrote: bytes to records."""
