"""Clients that are generated from the service's own description, at work against it."""
