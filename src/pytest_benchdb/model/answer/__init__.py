"""Results of the statistical commands, from `operations` to `present`; reports are in `model.report`."""
