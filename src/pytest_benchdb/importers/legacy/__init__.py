"""Importer of the JSON files that ipfs_accelerate_py wrote into its test folders in 2025, one module per family.

The files were written by many programs, and some made their figures up. `entry` has what all families share: the
names of figures and their units, the marks of mocks and simulations, and what counts as a failure.
"""
