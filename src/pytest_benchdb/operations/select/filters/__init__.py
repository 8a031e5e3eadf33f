"""Parsers for the filters that users write: `-k`, `-w`, times and thresholds."""
