"""Stores sessions and histories in files: everything that knows DuckDB, its SQL, and how PATH is resolved.

It stores and returns rows of `model`; `analysis` and `operations` interpret them.
"""
