"""The commands that show what is stored: report, sessions, show, query, env, schema."""
