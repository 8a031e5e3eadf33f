"""Reads the machine, the interpreter, the commit and the CI job that a session runs in.

Standard library only, and no program but `git`: everything comes from ``/proc``, ``/sys`` and a named list of
environment variables, in about 10 ms. A value that cannot be read is None. Devices of other backends are in `backends`.
"""
