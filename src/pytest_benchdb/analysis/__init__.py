"""Statistics and the rules that decide: pure functions of numbers."""
