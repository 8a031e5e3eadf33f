"""Importers of tools that time Python code, one module per format."""
