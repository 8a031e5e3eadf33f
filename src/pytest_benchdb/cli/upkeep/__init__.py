"""Commands that change or check a store: import, merge, recover, doctor, and what people add to results."""
