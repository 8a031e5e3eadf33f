"""Comparisons, gates and decisions as text: for terminals, Markdown, JSON, CSV, and the formats that CI tools read.

The words that the formats share are in `words`; the verdicts themselves, their order and weight, in `model.verdict`.
"""
