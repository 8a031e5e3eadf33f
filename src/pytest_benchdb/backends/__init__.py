"""Where code runs: one module per kind of hardware or runtime, each behind `interfaces.Backend`."""
