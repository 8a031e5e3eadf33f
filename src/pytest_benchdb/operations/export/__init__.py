"""Exporting: selecting sessions, reading them for exporters, and writing the files."""
