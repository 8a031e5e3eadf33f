"""present/run."""
