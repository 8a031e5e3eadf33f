"""Results as text for terminals, Markdown, JSON, CSV, HTML and CI; nothing here reads a store or judges a result."""
