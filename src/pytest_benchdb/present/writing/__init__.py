"""present/writing."""
