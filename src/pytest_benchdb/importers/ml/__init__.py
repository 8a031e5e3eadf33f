"""Importers of benchmarks of models: speed, memory, energy and scores; one module per format."""
