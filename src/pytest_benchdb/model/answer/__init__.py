"""Answers of single commands, as operations give them and `present` writes them; reports are in `model.report`."""
