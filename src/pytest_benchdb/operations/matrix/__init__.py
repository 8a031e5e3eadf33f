"""Build the compatibility matrix: what its rows and columns are, its cells, and where to run what."""
