"""One function for each use case; the plugin, the command line and the Python API share them.

Nothing here prints or reads arguments.
"""
