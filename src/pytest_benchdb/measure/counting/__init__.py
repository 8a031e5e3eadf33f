"""Counting instructions: valgrind's requests and dumps, and the pass that counts the calls of one function."""
