"""Reads the machine, the interpreter, the commit and the CI job of a session.

It uses only the standard library and runs only `git`: everything else comes from ``/proc``, ``/sys`` and a fixed list
of environment variables, in about 10 ms. A value that cannot be read is None. `backends` reads other devices.
"""
