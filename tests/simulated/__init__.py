"""A provider from outside the project, as its own package announces it."""
