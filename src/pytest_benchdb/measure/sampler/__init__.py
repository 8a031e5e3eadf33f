"""measure/sampler."""
