"""Reports of sessions and their runs: columns and formats.

Values, text and tables in general are in `writing`; one run with every measurement is in `run`.
"""
