"""The keyring: which key a secret belongs to, remembered for seconds so that it costs no query."""

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict

import msgspec

from app.domain.access import Key
from app.storage import keys
from app.storage.database import Database
from app.storage.tenancy import as_service

MARK = "lth_"
"""What every key begins with, so that scanners of leaked secrets know one."""

REMEMBERED_SECONDS = 5.0
"""How long another replica may go on taking a key that was revoked or rotated."""

MOST_REMEMBERED = 4096

USED_MILLIS = 60_000
"""How exactly it is known when a key was used last."""


class Keyring:
    """Keys by their secrets."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._remembered: OrderedDict[str, tuple[Key | None, float]] = OrderedDict()

    async def key_of(self, secret: str, now: int) -> Key | None:
        """The key that a secret opens the door with at a moment, in milliseconds; None for none."""
        prefix, _, rest = secret.removeprefix(MARK).partition("_")
        if not secret.startswith(MARK) or not rest:
            return None
        key = await self._named(prefix)
        if key is None or not is_good(key, secret, now):
            return None
        if now - (key.last_used_at or 0) >= USED_MILLIS:
            key = await self._note_used(key, now)
        return key

    def forget(self, key: Key) -> None:
        """Look the key up anew: it was changed."""
        self._remembered.pop(key.prefix, None)

    async def _named(self, prefix: str) -> Key | None:
        key, until = self._remembered.get(prefix, (None, 0.0))
        if until > time.monotonic():
            return key
        with as_service():
            async with self._database.read() as connection:
                key = await keys.find_prefix(connection, prefix)
        return self._remember(prefix, key)

    async def _note_used(self, key: Key, now: int) -> Key:
        with as_service():
            async with self._database.write() as connection:
                await keys.note_used(connection, key.id, now)
        noted = msgspec.structs.replace(key, last_used_at=now)
        if key.prefix in self._remembered:
            self._remembered[key.prefix] = (noted, self._remembered[key.prefix][1])
        return noted

    def _remember(self, prefix: str, key: Key | None) -> Key | None:
        self._remembered[prefix] = (key, time.monotonic() + REMEMBERED_SECONDS)
        self._remembered.move_to_end(prefix)
        if len(self._remembered) > MOST_REMEMBERED:
            self._remembered.popitem(last=False)
        return key


def new_prefix() -> str:
    """What names a key, and is no secret."""
    return secrets.token_hex(6)


def new_secret(prefix: str) -> str:
    """A secret of 256 bits; its hash needs no salt and no stretching."""
    return f"{MARK}{prefix}_{secrets.token_hex(32)}"


def hashed(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_good(key: Key, secret: str, now: int) -> bool:
    """Whether the secret is the key's, or was until a rotation not long ago."""
    if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now):
        return False
    given = hashed(secret)
    is_old = key.old_until is not None and key.old_until > now
    return hmac.compare_digest(given, key.hash) or (
        is_old and hmac.compare_digest(given, key.old_hash or "")
    )
