"""What passes between the store and the formats of other tools: stored sessions, files, the long table, the schema."""
