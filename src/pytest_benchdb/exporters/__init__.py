"""Writers of other tools' formats: benchmark tools and profilers; CI formats are in `present.verdicts`."""
