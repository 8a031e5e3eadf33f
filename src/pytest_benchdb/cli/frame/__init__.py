"""What all commands share: options, output, progress, configuration, and how a command ends. No command is here."""
