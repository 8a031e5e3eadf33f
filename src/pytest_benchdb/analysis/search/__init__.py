"""The search for the commit that changed a benchmark: what sessions say of each commit, and which to measure next."""
