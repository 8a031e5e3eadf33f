"""Explanations: profiles of two sides, recorded for it or earlier, and what differs in them."""
