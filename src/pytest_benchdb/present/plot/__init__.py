"""Figures for papers and slides, drawn by matplotlib: one module for each kind, and what they share.

They draw the answers of the commands as those are, and compute no figures of their own.
"""
