"""Tests in pytest processes of their own: isolated ones, and re-runs of the gate. xdist's workers are not here."""
