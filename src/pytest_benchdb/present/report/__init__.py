"""present/report."""
