"""How a value, a text, a fact and a table of either are written, whatever they are about."""
