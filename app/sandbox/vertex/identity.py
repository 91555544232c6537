"""How Google names things."""

import secrets

PROJECT_NUMBER = "824501763910"
"""Answers name the project by its number, whatever the request named it by."""


def new_number() -> str:
    """The id of a job, a model or an endpoint: up to 19 digits."""
    return str(10**18 + secrets.randbelow(9 * 10**18))


def parent(location: str) -> str:
    """What things of a location stand under, in answers."""
    return f"projects/{PROJECT_NUMBER}/locations/{location}"
