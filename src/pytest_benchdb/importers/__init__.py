"""Readers of other tools' result files, one module for each format.

Storing what they read is in `operations.exchange`.
"""
