"""The command line: one module per command, each parses, calls one operation and presents its result."""
