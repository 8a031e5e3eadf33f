"""The energy pass: energy counters read around repeated rounds. The meters are in `backends.meters`."""
