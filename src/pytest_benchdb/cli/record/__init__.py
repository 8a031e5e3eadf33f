"""Commands that measure and record by themselves, rather than within a pytest that a user starts."""
