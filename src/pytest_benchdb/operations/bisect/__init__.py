"""The search for the commit that changed a benchmark: commits are measured until `analysis.search` knows the answer."""
