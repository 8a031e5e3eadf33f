"""Command lines: `runner` asks for them, and `launcher` is the small process that starts and measures each of them."""
