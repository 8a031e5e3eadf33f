"""Explanations as text and pages, and the differential flame graph."""
