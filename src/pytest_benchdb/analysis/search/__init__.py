"""The search for the commit that changed a benchmark: what sessions show about each commit, and which to measure next."""
