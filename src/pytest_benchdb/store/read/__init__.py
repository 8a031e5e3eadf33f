"""Queries on an open history: rows of the model for our own code, and SQL from users in a sandbox."""
