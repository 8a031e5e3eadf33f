"""Duets: two commits or environments run in turn. Their sides are compared by `compare`."""
