"""Answers of statistical commands, as operations give them and `present` writes them; reports are in `model.report`."""
