"""The search for the commit of a change: what sessions show about each commit, and which to measure next."""
