"""Importers of tools that load servers of language models, one module per format; percentiles are theirs."""
