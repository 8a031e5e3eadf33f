"""Writers of other benchmark tools' formats, one module per format; CI formats are in `present.verdicts`."""
