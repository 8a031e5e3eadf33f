"""present/history."""
