"""Sessions, runs, measurements and the answers of commands: frozen dataclasses and the metric registry.

Standard library only, so that the plugin may import any of it before a benchmark runs.
"""
