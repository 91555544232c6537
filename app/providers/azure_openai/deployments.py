"""Deployments by Azure Resource Manager, each under a name that follows from its model's."""

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from http import HTTPStatus
from typing import Any, Protocol

import httpx

from app.domain.errors import Later, Never, Steer, YourTurn
from app.domain.jobs import Millis
from app.domain.provider import Deployment, DeploymentState

API_VERSION = "2024-10-01"

DEVELOPER_HOURS = 24

_RETRY_SECONDS = 20.0
_STATES: Mapping[str, DeploymentState] = {
    "accepted": DeploymentState.CREATING,
    "creating": DeploymentState.CREATING,
    "moving": DeploymentState.CREATING,
    "succeeded": DeploymentState.READY,
    "deleting": DeploymentState.DELETING,
    "failed": DeploymentState.FAILED,
    "canceled": DeploymentState.FAILED,
    "disabled": DeploymentState.FAILED,
}
_QUOTA = re.compile(r"quota", re.IGNORECASE)


class Unclear(Exception):
    """Resource Manager gave no answer, or none that can be read: what it did is unknown."""


class Resource(Protocol):
    """Which resource, and what its deployments are to be."""

    arm_endpoint: str
    subscription_id: str | None
    resource_group: str | None
    account: str | None
    deployment_sku: str
    deployment_capacity: int
    timeout_seconds: float


class Deployments:
    """The deployments of one resource; `token` gives a token for Resource Manager."""

    def __init__(self, resource: Resource, token: Callable[[], Awaitable[str]]) -> None:
        self._resource = resource
        self._token = token
        self._http = httpx.AsyncClient(
            base_url=resource.arm_endpoint, timeout=resource.timeout_seconds
        )
        self._base = (
            f"/subscriptions/{resource.subscription_id}/resourceGroups/{resource.resource_group}"
            f"/providers/Microsoft.CognitiveServices/accounts/{resource.account}/deployments"
        )

    async def put(self, model: str, *, sku: str | None = None) -> Deployment:
        """Deploy a model; one that is deployed, or on its way, stays as it is."""
        found = await self.get(model)
        if found is not None and found.state is not DeploymentState.FAILED:
            return found
        of_class = {
            "name": sku or self._resource.deployment_sku,
            "capacity": self._resource.deployment_capacity,
        }
        served = {"format": "OpenAI", "name": model, "version": "1"}
        body = {"sku": of_class, "properties": {"model": served}}
        return _read(_opened(await self._send("PUT", f"/{name_of(model)}", body)))

    async def get(self, model: str) -> Deployment | None:
        """The model's deployment as it is now."""
        answer = await self._send("GET", f"/{name_of(model)}")
        if answer.status_code == HTTPStatus.NOT_FOUND:
            await self._require_resource()
            return None
        return _read(_opened(answer))

    async def delete(self, model: str) -> None:
        """Have the deployment removed; what is not there is fine."""
        answer = await self._send("DELETE", f"/{name_of(model)}")
        if answer.status_code == HTTPStatus.NOT_FOUND:
            await self._require_resource()
        elif not answer.is_success:
            raise _refusal(answer)

    async def close(self) -> None:
        """Let go of connections."""
        await self._http.aclose()

    async def _require_resource(self) -> None:
        """What is not found may be the resource itself, and what it has may cost all the same."""
        _opened(await self._send("GET", ""))

    async def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> httpx.Response:
        """An answer to a request about the resource's deployments, whatever it says."""
        try:
            return await self._http.request(
                method,
                self._base + path,
                params={"api-version": API_VERSION},
                headers={"authorization": f"Bearer {await self._token()}"},
                json=body,
            )
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise Later("Azure cannot be reached.", retry_after=_RETRY_SECONDS) from None
        except httpx.HTTPError as error:
            raise Unclear(f"Azure gave no answer ({type(error).__name__}).") from None


def name_of(model: str) -> str:
    """The deployment's name for a model: the same for the same, told apart by its last digits."""
    digits = sha256(model.encode()).hexdigest()[:10]
    plain = re.sub(r"[^A-Za-z0-9_.-]", "-", model)
    return f"{plain[:50]}-{digits}"


def _opened(answer: httpx.Response) -> Any:
    if not answer.is_success:
        raise _refusal(answer)
    try:
        return answer.json()
    except ValueError:
        raise Unclear("Azure's answer cannot be read.") from None


def _read(answer: Any) -> Deployment:
    try:
        word: str = answer["properties"]["provisioningState"]
        name: str = answer["name"]
    except (KeyError, TypeError):
        raise Unclear("Azure's answer cannot be read.") from None
    since = _millis((answer.get("systemData") or {}).get("createdAt"))
    sku: str | None = (answer.get("sku") or {}).get("name")
    is_developer = sku is not None and sku.lower().startswith("developer")
    lives = DEVELOPER_HOURS * 3_600_000 if is_developer else None
    return Deployment(
        name=name,
        state=_STATES.get(word.lower(), DeploymentState.UNKNOWN),
        since=since,
        ends_at=since + lives if since is not None and lives is not None else None,
        detail=word,
        tier=sku,
    )


def _refusal(answer: httpx.Response) -> Steer | Unclear:
    status = answer.status_code
    code, message = _said(answer)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return Unclear(f"Azure failed: {message}")
    if status == HTTPStatus.UNAUTHORIZED:
        return YourTurn("Azure does not take the credential; sign in, then try again.")
    if status == HTTPStatus.FORBIDDEN:
        return YourTurn(f"Azure forbids it: {message} Give the credential the right to deploy.")
    if status == HTTPStatus.NOT_FOUND:
        return YourTurn(
            f"Azure does not find it: {message} Check subscription_id, resource_group and account."
        )
    if _QUOTA.search(code):
        return YourTurn(f"Azure wants a higher quota ({message}); raise it, then try again.")
    if status in (HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS):
        return Later(f"Azure is busy: {message}", retry_after=_seconds(answer))
    return Never(message, code=code or "provider_refused")


def _said(answer: httpx.Response) -> tuple[str, str]:
    """The code and the message of an error."""
    try:
        error = answer.json()["error"]
        return str(error.get("code") or ""), str(error.get("message"))[:1000]
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", f"HTTP {answer.status_code}"


def _seconds(answer: httpx.Response) -> float:
    try:
        return max(float(answer.headers.get("retry-after", _RETRY_SECONDS)), 0.0)
    except ValueError:
        return _RETRY_SECONDS


def _millis(moment: str | None) -> Millis | None:
    if moment is None:
        return None
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return int(at.replace(tzinfo=at.tzinfo or UTC).timestamp() * 1000)
