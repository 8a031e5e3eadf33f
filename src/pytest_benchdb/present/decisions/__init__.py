"""Pages for decisions: comparisons and gates as forest plots, axes as curves, trends, and the noise of a machine."""
