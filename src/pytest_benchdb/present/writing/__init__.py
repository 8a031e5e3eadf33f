"""Writing values, text, facts and tables in general, whatever they are about."""
