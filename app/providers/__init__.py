"""Places where models are tuned: one folder each, found by name."""
