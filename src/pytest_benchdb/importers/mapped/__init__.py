"""Importer of any JSON, whose values a map on the command line names."""
