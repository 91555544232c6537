"""Datasets on their way in: files of every kind, good and bad."""
