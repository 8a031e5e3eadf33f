"""The command line: one module per command, which parses options, calls one operation and presents its result."""
