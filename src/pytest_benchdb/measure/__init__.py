"""Measuring, in rooms: timing, memory of the process, energy, sensors, distributed runs, token streams, training.

Everything here works without pytest and without the store. Hardware is behind `interfaces`; its backends and meters
are in `backends`.
"""
