"""Keys over HTTP: given out once, listed without their secrets, rotated and revoked."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import Field

from app.api.dependencies import Calling, Use
from app.api.idempotency import KeyHeader, key_for, replay_headers
from app.api.problems import responses
from app.api.projects import Limit as SpendLimit
from app.api.projects import ProjectId
from app.api.shapes import Cursor, In, Limit, Moment, Out, Page, Usd, answer, answer_page, before
from app.api.shapes import millis as to_millis
from app.domain.access import Key, Role
from app.services.keys import GivenKey, WantedKey

router = APIRouter(prefix="/keys", tags=["keys"])

Name = Annotated[
    str,
    Field(min_length=1, max_length=100, description="For people.", examples=["nightly training"]),
]
PerMinute = Annotated[
    int | None, Field(ge=1, le=1_000_000, description="Requests that it may send in a minute.")
]


class KeyIn(In):
    """What the key is for, and what it may do."""

    name: Name
    role: Role = Field(examples=["developer"])
    project: ProjectId | None = Field(
        default=None, description="By default that of the key which asks."
    )
    expires_at: datetime | None = None
    spend_limit_usd: SpendLimit = None
    rate_limit_per_minute: PerMinute = None


class KeyChangeIn(In):
    """What is to change; what is left out stays, and null takes a limit away."""

    name: Name | None = None
    spend_limit_usd: SpendLimit = None
    rate_limit_per_minute: PerMinute = None


class RotationIn(In):
    """How long the secret of before goes on to be good."""

    grace_seconds: int = Field(
        default=86_400, ge=0, le=30 * 86_400, description="The old secret is good for so long."
    )


class KeyOut(Out):
    """A key, without its secret."""

    id: str
    project: str = Field(validation_alias="project_id")
    name: str
    role: Role
    prefix: str = Field(description="The key begins with `lth_` and this.")
    spend_limit_usd: Usd | None
    rate_limit_per_minute: int | None
    created_at: Moment
    created_by: str
    expires_at: Moment | None
    revoked_at: Moment | None
    last_used_at: Moment | None = Field(description="To the minute.")


class SecretKeyOut(KeyOut):
    """A key with its secret, which no other answer tells."""

    secret: str | None = Field(
        description="Shown this once; null where an Idempotency-Key asks again."
    )


@router.post(
    "",
    operation_id="create_key",
    summary="Give out a key",
    status_code=201,
    response_model=SecretKeyOut,
    responses=responses(404, 422),
)
async def create_key(use: Use, calling: Calling, body: KeyIn, key: KeyHeader = None) -> Response:
    """The secret is in this answer and nowhere else: only a hash of it is kept.

    An answer that was lost is no harm: revoke the key and create another one.
    """
    wanted = WantedKey(
        name=body.name,
        role=body.role,
        project=body.project,
        expires_at=body.expires_at and to_millis(body.expires_at),
        spend_limit_usd=body.spend_limit_usd,
        rate_limit_per_minute=body.rate_limit_per_minute,
    )
    created = await use.keys.create(calling, wanted, key_for("create_key", key, body))
    headers = replay_headers(created.is_replay) | {"Location": f"/keys/{created.thing.key.id}"}
    return answer(_shown(created.thing), status=201, headers=headers)


@router.get(
    "",
    operation_id="list_keys",
    summary="List keys",
    response_model=Page[KeyOut],
    responses=responses(422),
)
async def list_keys(use: Use, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Newest first, with those that were revoked."""
    found = await use.keys.list_page(before=before(cursor), limit=limit + 1)
    return answer_page(Page[KeyOut], found, limit, lambda key: key.id)


@router.get(
    "/{key_id}",
    operation_id="get_key",
    summary="Look at a key",
    response_model=KeyOut,
    responses=responses(404),
)
async def get_key(use: Use, key_id: str) -> Response:
    """Everything but its secret."""
    return answer(KeyOut.model_validate(await use.keys.get(key_id)))


@router.patch(
    "/{key_id}",
    operation_id="change_key",
    summary="Change a key's name or limits",
    response_model=KeyOut,
    responses=responses(404, 422),
)
async def change_key(use: Use, key_id: str, body: KeyChangeIn) -> Response:
    """A role and an expiry are for ever: another one is another key."""
    changes: dict[str, Any] = body.model_dump(exclude_unset=True)
    if changes.get("name", "") is None:
        del changes["name"]
    return answer(KeyOut.model_validate(await use.keys.change(key_id, **changes)))


@router.post(
    "/{key_id}/rotate",
    operation_id="rotate_key",
    summary="Give a key another secret",
    response_model=SecretKeyOut,
    responses=responses(404, 409, 422),
)
async def rotate_key(use: Use, key_id: str, body: RotationIn | None = None) -> Response:
    """The key stays what it is; its old secret is good for a while, so that nobody is cut off."""
    grace = timedelta(seconds=(body or RotationIn()).grace_seconds)
    return answer(_shown(await use.keys.rotate(key_id, grace=grace)))


@router.delete(
    "/{key_id}",
    operation_id="revoke_key",
    summary="Revoke a key",
    status_code=204,
    responses=responses(404),
)
async def revoke_key(use: Use, key_id: str) -> None:
    """It opens nothing any more, on every replica within five seconds; it stays listed."""
    await use.keys.revoke(key_id)


def _shown(given: GivenKey) -> SecretKeyOut:
    shown: dict[str, Any] = {
        name: getattr(given.key, name) for name in Key.__struct_fields__ if "hash" not in name
    }
    return SecretKeyOut.model_validate(shown | {"secret": given.secret})
