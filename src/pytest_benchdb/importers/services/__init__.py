"""Importers of what services and CI systems keep: histories, reports of test runs; one module per format."""
