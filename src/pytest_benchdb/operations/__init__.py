"""One function per use case, shared by the plugin, the command line and the Python API.

Nothing here prints or reads arguments.
"""
