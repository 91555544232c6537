"""Tuned weights over HTTP, as an archive to take along."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse

from app.api.dependencies import Use
from app.api.problems import responses
from app.domain.provider import Weights

router = APIRouter(prefix="/models", tags=["models"])

TAR = "application/x-tar"


@router.get(
    "/{ref:path}/export",
    operation_id="export_model",
    summary="Take the weights of a tuned model along",
    response_class=Response,
    responses=responses(404, 409, 422)
    | {
        200: {
            "description": "A tar archive with one folder.",
            "content": {TAR: {"schema": {"type": "string", "format": "binary"}}},
        },
        304: {"description": "Not changed since the ETag."},
    },
)
async def export_model(
    use: Use,
    ref: str,
    weights: Annotated[
        Weights | None,
        Query(description="`adapter`, or `merged` into the base; left out: as it was trained."),
    ] = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Safetensors with configuration, tokenizer and chat template, `card.json` and `README.md`.

    For models whose weights are on this machine. Merged weights are made by the first who asks,
    off the service's own process, and kept for a while; 503 says that they are still being made.
    """
    export = await use.exports.of(ref, weights)
    etag = f'W/"{export.revision}"'
    if if_none_match is not None and etag in if_none_match:
        return Response(status_code=304, headers={"ETag": etag})
    archive = await use.exports.archive(export)
    headers = {
        "ETag": etag,
        "Content-Length": str(archive.size),
        "Content-Disposition": f'attachment; filename="{export.name}.tar"',
    }
    return StreamingResponse(archive.chunks, media_type=TAR, headers=headers)
