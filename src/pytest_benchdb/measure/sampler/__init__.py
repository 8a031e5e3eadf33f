"""Sensor series: `sampler`, the process that it starts (`child`, `sensor`), and the series pass."""
