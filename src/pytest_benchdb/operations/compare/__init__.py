"""Comparisons of two sides or of an axis, and the steps from sides to rows that the gate and duets use as well."""
