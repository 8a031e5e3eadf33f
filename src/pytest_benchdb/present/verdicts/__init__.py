"""Comparisons, gates and decisions as text: for terminals, Markdown, JSON, CSV and CI tools.

The formats share the wording in `words`; the verdicts themselves are in `model.verdict`.
"""
