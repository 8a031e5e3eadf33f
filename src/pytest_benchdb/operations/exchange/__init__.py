"""Exchanging results: opening any source, importing other tools' files, and writing files.

Selecting sessions of a source is in `select`.
"""
