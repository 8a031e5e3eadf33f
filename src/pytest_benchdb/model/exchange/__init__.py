"""What passes between the store and the formats of other tools: stored sessions, files, and the long table."""
