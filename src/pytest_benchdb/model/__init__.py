"""What a session, a run and a measurement are: frozen dataclasses and the metric registry.

Standard library only, so that the plugin may import any of it before a benchmark runs.
"""
