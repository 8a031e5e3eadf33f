"""The compatibility matrix as a table for a terminal, as Markdown, CSV and JSON, and as a page."""
