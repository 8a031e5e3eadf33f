"""Parts of HTML pages: the shell that every page has, its data for scripts, and charts that need no script."""
