"""Series of sensors: `sampler` and the process that samples (`child`, `sensor`, `file_sensors`), and their pass."""
