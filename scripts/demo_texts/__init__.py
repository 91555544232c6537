"""Texts of the demo tasks that the tiny base model has never read."""
