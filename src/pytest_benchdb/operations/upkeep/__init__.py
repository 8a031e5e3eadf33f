"""Maintaining a store: merging, recovering, checking, and annotations.

Importing and exporting are in `exchange`.
"""
