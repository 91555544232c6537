"""Tokens of Microsoft Entra, kept for as long as they are good."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from app.domain.errors import Later, YourTurn

_SPARE_SECONDS = 300
"""A token is renewed so long before its end."""

_RETRY_SECONDS = 20.0


class Token(Protocol):
    """What azure-identity calls an access token; `expires_on` is in seconds since 1970."""

    @property
    def token(self) -> str: ...

    @property
    def expires_on(self) -> int: ...


class Credential(Protocol):
    """What every credential of azure-identity can do."""

    def get_token(self, *scopes: str) -> Token:
        """A token that is good for the scopes; it may block."""
        ...


class Entra:
    """One way to sign in; the kind is one of the option's words."""

    def __init__(self, kind: str, credential: Credential | None = None) -> None:
        self._kind = kind
        self._credential = credential
        self._tokens: dict[str, Token] = {}
        self._signing_in = asyncio.Lock()

    def tokens(self, scope: str) -> Callable[[], Awaitable[str]]:
        """What gives a token for a scope whenever it is asked."""

        async def token() -> str:
            return await self.token(scope)

        return token

    async def token(self, scope: str) -> str:
        """A token that is good for some minutes; `YourTurn` where nobody can be signed in."""
        async with self._signing_in:
            known = self._tokens.get(scope)
            if known is None or known.expires_on - _SPARE_SECONDS < time.time():
                known = self._tokens[scope] = await asyncio.to_thread(self._sign_in, scope)
        return known.token

    def _sign_in(self, scope: str) -> Token:
        from azure.core.exceptions import AzureError, ClientAuthenticationError

        if self._credential is None:
            self._credential = _credential(self._kind)
        try:
            return self._credential.get_token(scope)
        except ClientAuthenticationError as error:
            # Only its first line, and not the error itself, which carries the whole exchange.
            said = str(error.message).partition("\n")[0][:300]
            raise YourTurn(
                f"Nobody can be signed in to Azure by the credential {self._kind!r}: {said} "
                "Sign in, or set another credential; then retry."
            ) from None
        except AzureError as error:
            raise Later(
                f"Azure gives no token now ({type(error).__name__}).", retry_after=_RETRY_SECONDS
            ) from None


def _credential(kind: str) -> Credential:
    import azure.identity as identity

    match kind:
        case "cli":
            return identity.AzureCliCredential()
        case "environment":
            return identity.EnvironmentCredential()
        case "managed_identity":
            return identity.ManagedIdentityCredential()
        case _:
            return identity.DefaultAzureCredential()
