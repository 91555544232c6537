"""The Azure ML provider, against a simulated workspace."""
