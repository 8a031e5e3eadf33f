"""Files of sessions and histories: everything that knows DuckDB, its SQL, and where a user's PATH leads.

It stores and returns rows of `model`; what they mean together is decided in `analysis` and `operations`.
"""
