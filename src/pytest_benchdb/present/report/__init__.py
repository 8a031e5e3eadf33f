"""Reports of sessions and their runs: which columns, and how they look in each format.

How a value, a text or a table is written in general is in `writing`; one run with every measurement is in `run`.
"""
