"""Records -> the formats of other tools; one module per format, no database, no network."""
