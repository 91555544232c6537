"""Webhooks of providers over HTTP; their signature stands in for a key."""

from typing import Any

from fastapi import APIRouter, Request, Response

from app.api.dependencies import Use
from app.api.problems import responses

router = APIRouter(prefix="/providers", tags=["providers"])

_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {"type": "object", "description": "Whatever the provider sends."},
            "example": {"type": "fine_tuning.job.succeeded", "data": {"id": "ftjob-1"}},
        }
    },
}


@router.post(
    "/{name}/webhooks",
    operation_id="take_webhook",
    summary="Take a provider's webhook",
    status_code=204,
    response_model=None,
    responses=responses(404, 409, 422),
    openapi_extra={"requestBody": _BODY},
)
async def take_webhook(use: Use, name: str, request: Request) -> Response:
    """Look at the job that a signed message is about, now instead of soon.

    For the provider's own servers: no key is asked for, the signature must be right.
    """
    await use.webhooks.take(name, request.headers, await request.body())
    return Response(status_code=204)
