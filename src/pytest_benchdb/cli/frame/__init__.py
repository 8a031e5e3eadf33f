"""Shared by all commands: options, output, progress, configuration and error handling. No command is here."""
