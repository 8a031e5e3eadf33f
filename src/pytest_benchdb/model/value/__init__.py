"""Values of any type that users' code passes to us, as plain numbers and as JSON."""
