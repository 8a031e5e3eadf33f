"""Results as text: what terminals, Markdown, JSON, CSV, HTML and CI formats show of them.

Nothing here reads a store or judges a result.
"""
