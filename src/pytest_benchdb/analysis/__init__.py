"""Statistics and the rules that give verdicts: pure functions of numbers."""
