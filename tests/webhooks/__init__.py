"""Webhooks: what is told, how it is signed, and what becomes of each message."""
