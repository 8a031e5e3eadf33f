"""Exchanging results: opening any source, importing other tools' files, exporting to other formats.

Selecting sessions of a source is in `select`.
"""
