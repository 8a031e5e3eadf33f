"""Tests in separate pytest processes: isolated tests, and re-runs of the gate, but not xdist's workers."""
