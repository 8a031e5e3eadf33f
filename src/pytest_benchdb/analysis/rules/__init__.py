"""The rules that turn the values of sessions into verdicts; change points and trends are in `series`."""
