"""Sealing: secrets that must be readable again are encrypted before the database sees them."""

import base64
import hashlib
import os
import secrets
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from app.domain.errors import SecretKeyMissing


class SealBroken(Exception):
    """The secret was encrypted with another key."""


class Seal:
    """Encrypts and reads with one key, which `key` gives when it is needed first."""

    def __init__(self, key: Callable[[], str]) -> None:
        self._key = key

    def seal(self, secret: str) -> str:
        """The secret as it may be stored; raises `SecretKeyMissing`."""
        return self._fernet.encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str:
        """The secret again; raises `SealBroken`, `SecretKeyMissing`."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as error:
            raise SealBroken(
                "The secret was encrypted with another key: set LUTHIER_SECRET_KEY to that one in "
                "every process."
            ) from error

    @cached_property
    def _fernet(self) -> Fernet:
        digest = hashlib.sha256(b"luthier\0" + self._key().encode()).digest()
        return Fernet(base64.urlsafe_b64encode(digest))


def key_in(file: Path) -> str:
    """The key in a file that only its owner can read; made by whoever needs it first."""
    try:
        return file.read_text()
    except FileNotFoundError:
        _put_key(file)
        return file.read_text()


def no_key() -> str:
    """Where several processes could not know the same key; raises `SecretKeyMissing`."""
    raise SecretKeyMissing(
        "An operator has to set LUTHIER_SECRET_KEY, alike in every process that works on this "
        "database, before secrets can be kept."
    )


def _put_key(file: Path) -> None:
    """Whole or not at all; whoever comes second leaves the first one's key."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as written:
            written.write(secrets.token_urlsafe(32))
            written.flush()
            os.fsync(written.fileno())
        os.link(draft, file)
    except FileExistsError:
        return
    finally:
        draft.unlink()
