"""The small languages in which users write filters: `-k`, `-w`, times and thresholds."""
