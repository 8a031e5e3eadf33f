"""Commands that change or check a store: import, merge, recover, doctor, and annotations."""
