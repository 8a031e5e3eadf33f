"""Commands that look after a store: check, pack, upgrade, back up, restore, and remove what is no longer needed."""
