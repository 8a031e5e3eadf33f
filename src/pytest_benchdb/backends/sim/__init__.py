"""A simulated machine with known answers: proves windows, validity and storage, and nothing about hardware.

Its time passes only on request, so that every figure is the same on every machine.
"""
