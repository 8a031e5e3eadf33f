"""The ``bench_*`` fixtures: the devices they run on, how they time code, and the passes after timing."""
