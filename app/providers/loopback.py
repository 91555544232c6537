"""Endpoints on this very machine: simulators and emulators, which take no credentials."""

from urllib.parse import urlsplit


def is_plain_loopback(endpoint: str | None) -> bool:
    """Whether an address is this machine without TLS: no vendor, and no place for credentials."""
    parts = urlsplit(endpoint or "")
    return parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")
