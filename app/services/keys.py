"""Keys: given out, rotated, limited and revoked."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec

from app.domain.access import Caller, Key, Role
from app.domain.errors import KeyRevoked, ProjectNotFound
from app.domain.idempotency import Idempotency
from app.services.created import Created
from app.services.keyring import Keyring, hashed, new_prefix, new_secret
from app.services.once import once
from app.storage import idempotency, keys, projects
from app.storage.database import Database
from app.storage.ids import new_id
from app.storage.tenancy import Tenant, working_for


class WantedKey(msgspec.Struct, frozen=True, kw_only=True):
    """What an admin asks for; `project` is their own where it is None. Times are `Millis`."""

    name: str
    role: Role
    project: str | None = None
    expires_at: int | None = None
    spend_limit_usd: Decimal | None = None
    rate_limit_per_minute: int | None = None


class GivenKey(msgspec.Struct, frozen=True):
    """A key with its secret, which is known now and never again."""

    key: Key
    secret: str | None


class Keys:
    """What an admin does with keys."""

    def __init__(self, database: Database, keyring: Keyring, *, clock: Callable[[], int]) -> None:
        self._database = database
        self._keyring = keyring
        self._clock = clock

    async def create(
        self, caller: Caller, wanted: WantedKey, promised: Idempotency | None = None
    ) -> Created[GivenKey]:
        """Give out a key; asked again with the same Idempotency-Key without its secret.

        Raises `ProjectNotFound` for a project that the caller may not give keys to.
        """
        project = wanted.project or caller.project_id
        if project != caller.project_id and not caller.governs:
            raise ProjectNotFound(f"There is no project {project!r}.")
        key, secret = _made(wanted, project, by=caller.name, now=self._clock())

        async def make() -> Created[Key]:
            async with self._database.write() as connection:
                await projects.get(connection, project)
                await idempotency.keep(connection, promised, key)
                with working_for(Tenant(project)):
                    await keys.add(connection, key)
            return Created(key)

        created = await once(self._database, promised, Key, make)
        shown = None if created.is_replay else secret
        return Created(GivenKey(created.thing, shown), is_replay=created.is_replay)

    async def get(self, key_id: str) -> Key:
        """The key of that id; raises `KeyNotFound`."""
        async with self._database.read() as connection:
            return await keys.get(connection, key_id)

    async def list_page(self, *, before: str | None, limit: int) -> list[Key]:
        """Keys, newest first, those that were revoked too."""
        async with self._database.read() as connection:
            return await keys.list_page(connection, before=before, limit=limit)

    async def change(self, key_id: str, **changes: Any) -> Key:
        """Change a key's name or limits."""
        return await self._change(key_id, lambda key: changes)

    async def rotate(self, key_id: str, *, grace: timedelta) -> GivenKey:
        """Give the key another secret; the one before is good for a while. Raises `KeyRevoked`."""
        secrets: list[str] = []

        def rotated(key: Key) -> dict[str, Any]:
            if key.revoked_at is not None:
                raise KeyRevoked("This key was revoked; create another one.")
            secrets.append(new_secret(key.prefix))
            until = self._clock() + int(grace.total_seconds() * 1000)
            return {"hash": hashed(secrets[0]), "old_hash": key.hash, "old_until": until}

        key = await self._change(key_id, rotated)
        return GivenKey(key, secrets[0])

    async def revoke(self, key_id: str) -> None:
        """Let the key open nothing any more; it stays listed, for what it did is in the audit."""
        now = self._clock()
        await self._change(
            key_id, lambda key: {} if key.revoked_at is not None else {"revoked_at": now}
        )

    async def _change(self, key_id: str, judge: Callable[[Key], dict[str, Any]]) -> Key:
        async with self._database.write() as connection:
            key = await keys.get(connection, key_id, lock=True)
            changes = judge(key)
            if changes:
                key = await keys.change(connection, key, **changes)
        self._keyring.forget(key)
        return key


def _made(wanted: WantedKey, project: str, *, by: str, now: int) -> tuple[Key, str]:
    prefix = new_prefix()
    secret = new_secret(prefix)
    key = Key(
        id=new_id("key"),
        project_id=project,
        name=wanted.name,
        role=wanted.role,
        prefix=prefix,
        hash=hashed(secret),
        spend_limit_usd=wanted.spend_limit_usd,
        rate_limit_per_minute=wanted.rate_limit_per_minute,
        created_at=now,
        created_by=by,
        expires_at=wanted.expires_at,
    )
    return key, secret
