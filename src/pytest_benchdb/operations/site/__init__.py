"""A static site of a history: what its pages show, and the folder that they are kept in."""
