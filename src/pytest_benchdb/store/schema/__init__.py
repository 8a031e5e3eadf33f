"""The schema of our files: new files from ``schema.sql``, versions and migrations, and what a file may define."""
