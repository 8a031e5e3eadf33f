"""The energy pass: counters of energy read around repeated rounds. The meters themselves are in `backends.meters`."""
