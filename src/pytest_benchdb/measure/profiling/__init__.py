"""Profiles: one call of a function with every bytecode instruction counted, and the lines that allocate."""
