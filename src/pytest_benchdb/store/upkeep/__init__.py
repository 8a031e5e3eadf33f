"""Looks after stored files: checks, compacts, removes from, upgrades, backs up and restores them.

A file is never changed in place: a new one is written beside it, verified row by row, and takes its place by a rename.
"""
