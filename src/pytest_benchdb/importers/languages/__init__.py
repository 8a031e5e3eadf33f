"""Importers of tools that time other languages and commands, one module per format."""
