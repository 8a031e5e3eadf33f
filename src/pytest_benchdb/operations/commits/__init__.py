"""Past commits: checked out, set up, and their benchmarks recorded. Duets, backfills and bisections build on it."""
