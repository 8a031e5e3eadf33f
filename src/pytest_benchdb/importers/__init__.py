"""The files of other tools -> records; one module per format, no database, no network."""
