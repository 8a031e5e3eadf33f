"""present/verdicts."""
