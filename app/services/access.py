"""Access: who calls, by a key, by a token of an issuer, or from this very machine."""

import hmac
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec

from app.domain.access import DEFAULT_PROJECT, Caller, Role
from app.domain.errors import Forbidden, ProjectNotFound, Unauthorized
from app.network.issuers import Issuer
from app.services.keyring import MARK, Keyring
from app.storage import projects
from app.storage.database import Database
from app.storage.tenancy import Tenant, working_for


class Claims(msgspec.Struct, frozen=True):
    """Where a token says what its bearer may do."""

    role: str
    """The claim with the bearer's roles, one or a list; `a.b` reads into the object `a`."""

    roles: Mapping[str, Role]
    """What the issuer calls our roles."""

    project: str | None
    """The claim with the bearer's project; without it the default one."""


class Access:
    """Judges who sent a request."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        *,
        admin_key: str | None,
        issuer: Issuer | None,
        claims: Claims,
        rate_limit_per_minute: int | None,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._admin_key = admin_key
        self._issuer = issuer
        self._claims = claims
        self._rate_limit_per_minute = rate_limit_per_minute
        self._clock = clock

    @property
    def is_local(self) -> bool:
        """Whether whoever sits at this machine needs no key."""
        return self._admin_key is None

    async def admit(self, given: str | None, project: str | None) -> Caller:
        """Who bears a key or token, at work for the project of that id or else for their own.

        Raises `Unauthorized`, and `ProjectNotFound` for a project that is not theirs.
        """
        caller = await self._caller(given)
        if project is None or project == caller.home:
            return caller
        if not caller.governs:
            raise ProjectNotFound(f"There is no project {project!r}.")
        async with self._database.read() as connection:
            await projects.get(connection, project)
        return msgspec.structs.replace(caller, project_id=project)

    @contextmanager
    def working_for(self, caller: Caller) -> Generator[None]:
        """Let the block see and change what the caller's request is about, and nothing else."""
        with working_for(Tenant(caller.project_id, caller.key_id)):
            yield

    async def _caller(self, given: str | None) -> Caller:
        if given is not None and given.startswith(MARK):
            return await self._bearer_of_key(given)
        if self._is_admin_key(given):
            return _governor("admin key")
        if given is not None and self._issuer is not None and given.count(".") == 2:
            return await self._bearer_of_token(self._issuer, given)
        if self.is_local:
            return _governor("this machine")
        raise Unauthorized("Send a key as `Authorization: Bearer <key>`.")

    def _is_admin_key(self, given: str | None) -> bool:
        if given is None or self._admin_key is None:
            return False
        return hmac.compare_digest(given.encode(), self._admin_key.encode())

    async def _bearer_of_key(self, secret: str) -> Caller:
        key = await self._keyring.key_of(secret, self._clock())
        if key is None:
            raise Unauthorized("This key is unknown, has expired or was revoked.")
        return Caller(
            name=key.name,
            role=key.role,
            home=key.project_id,
            project_id=key.project_id,
            key_id=key.id,
            rate_limit_per_minute=key.rate_limit_per_minute or self._rate_limit_per_minute,
        )

    async def _bearer_of_token(self, issuer: Issuer, token: str) -> Caller:
        said = await issuer.claims(token)
        role = self._role(said)
        project = DEFAULT_PROJECT
        if self._claims.project is not None:
            project = _claim(said, self._claims.project)
            if not isinstance(project, str):
                raise Forbidden(f"The token has no claim {self._claims.project}.")
            async with self._database.read() as connection:
                await projects.get(connection, project)
        return Caller(
            name=str(said["sub"]),
            role=role,
            home=project,
            project_id=project,
            rate_limit_per_minute=self._rate_limit_per_minute,
        )

    def _role(self, said: Mapping[str, Any]) -> Role:
        """The highest of the bearer's roles; raises `Forbidden` where none is one of ours."""
        names = _claim(said, self._claims.role)
        names = names if isinstance(names, list) else [names]
        found = {self._claims.roles[name] for name in names if name in self._claims.roles}
        for role in reversed(Role):
            if role in found:
                return role
        raise Forbidden(f"The token's claim {self._claims.role} names no role of this service.")


def _governor(name: str) -> Caller:
    return Caller(name=name, role=Role.ADMIN, home=DEFAULT_PROJECT, project_id=DEFAULT_PROJECT)


def _claim(said: Mapping[str, Any], path: str) -> Any:
    """A claim of that name, or inside objects along `a.b`; None where there is none."""
    if path in said:
        return said[path]
    found: Any = said
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found
