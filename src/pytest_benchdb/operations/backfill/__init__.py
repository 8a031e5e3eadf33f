"""Backfills: which past commits to record, in which order, and what was recorded already. `commits` records them."""
