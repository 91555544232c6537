"""Issuers of tokens: OpenID Connect's discovery and keys, and the judgement of a bearer's token."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import httpx
import jwt
import structlog
from jwt import PyJWK, PyJWKSet

from app.domain.errors import IssuerUnavailable, Unauthorized

log = structlog.get_logger()

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
"""Signatures that only the issuer can make: none with a shared secret, and never `none`."""

LEEWAY_SECONDS = 60
"""How far the issuer's clock and ours may be apart."""

KEYS_SECONDS = 3600.0
"""How old the issuer's keys may be."""

AGAIN_SECONDS = 10.0
"""How soon the keys are asked for again, whoever makes up key ids."""

TIMEOUT_SECONDS = 10.0


class Issuer:
    """Who issues the tokens that open this service, and what for."""

    def __init__(self, url: str, *, audience: str, again_seconds: float = AGAIN_SECONDS) -> None:
        self._url = url.rstrip("/")
        self._audience = audience
        self._again_seconds = again_seconds
        self._keys: Mapping[str, PyJWK] = {}
        self._asked_at: float | None = None
        self._is_silent = False
        self._asking = asyncio.Lock()

    async def claims(self, token: str) -> Mapping[str, Any]:
        """What a token says that is genuine, in time and for us; raises `Unauthorized`.

        Raises `IssuerUnavailable` where its key is not known here and the issuer does not answer.
        """
        try:
            kid = str(jwt.get_unverified_header(token).get("kid"))
            key = await self._key(kid)
            return jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=self._audience,
                issuer=[self._url, f"{self._url}/"],
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.InvalidTokenError as error:
            raise Unauthorized(f"The token does not open this service: {error}") from error

    async def _key(self, kid: str) -> PyJWK:
        if self._is_due(kid):
            async with self._asking:
                if self._is_due(kid):
                    await self._ask()
        if kid in self._keys:
            return self._keys[kid]
        if self._is_silent:
            raise IssuerUnavailable(f"{self._url} does not tell its keys.")
        raise Unauthorized("The token's key is not one of its issuer's.")

    def _is_due(self, kid: str) -> bool:
        """Whether the keys are too old, or a key that is not among them may be a new one."""
        if self._asked_at is None:
            return True
        age = time.monotonic() - self._asked_at
        return age >= (KEYS_SECONDS if kid in self._keys else self._again_seconds)

    async def _ask(self) -> None:
        """Take the issuer's keys anew; while it is silent the known ones go on."""
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS) as client:
                found = await _fetched(client, f"{self._url}/.well-known/openid-configuration")
                if found["issuer"].rstrip("/") != self._url:
                    raise ValueError(f"what answers there is {found['issuer']}")
                listed = await _fetched(client, found["jwks_uri"])
            keys = PyJWKSet.from_dict(listed).keys
        except (httpx.HTTPError, ValueError, LookupError, jwt.PyJWTError) as error:
            log.warning("issuer_silent", issuer=self._url, problem=str(error))
            self._is_silent = True
        else:
            self._keys = {key.key_id: key for key in keys if key.key_id is not None}
            self._is_silent = False
        self._asked_at = time.monotonic()


async def _fetched(client: httpx.AsyncClient, url: str) -> dict[str, Any]:
    answer = await client.get(url)
    return answer.raise_for_status().json()
