"""Measurement: timing, process memory, energy, sensors, distributed runs, token streams and training loops.

Everything here works without pytest and without the store. Hardware is accessed through `interfaces`; backends and
meters are in `backends`.
"""
