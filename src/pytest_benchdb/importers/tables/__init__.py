"""Importers of long tables, one row per value: CSV, Parquet and JSON lines."""
