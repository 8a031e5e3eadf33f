"""Answers from what is stored as it is: reports, sessions, environments, queries, the schema and tables of data."""
