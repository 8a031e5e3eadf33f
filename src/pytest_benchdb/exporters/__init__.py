"""Writers of the result formats of other benchmark tools, one module a format; CI formats are in `present.verdicts`."""
