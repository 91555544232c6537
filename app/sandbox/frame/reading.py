"""A request off the wire as a value: nested query, JSON or form."""

import json
import re
from collections.abc import Iterable
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request

from app.sandbox.frame.exchange import FORM, JSON, Asked, Refused, UploadedFile

_NESTED = re.compile(r"(?P<outer>[^\[\]]+)\[(?P<inner>[^\[\]]*)\]")


async def read(request: Request) -> Asked:
    """The whole request; a body that is no JSON raises `Refused`."""
    content = await request.body() if _is_opaque(request) else b""
    body, files = (None, {}) if content else await _read_body(request)
    return Asked(
        method=request.method,
        path=request.url.path,
        names=request.path_params,
        query=_nest(request.query_params.multi_items()),
        headers=dict(request.headers),
        body=body,
        files=files,
        content=content,
    )


def _is_opaque(request: Request) -> bool:
    """Whether the body says of itself that it is neither JSON nor a form."""
    media_type = request.headers.get("content-type", JSON).partition(";")[0].strip()
    return media_type not in (JSON, FORM)


async def _read_body(request: Request) -> tuple[Any, dict[str, UploadedFile]]:
    content = await request.body()
    if not content:
        return None, {}
    if request.headers.get("content-type", "").startswith(FORM):
        return await _read_form(request)
    try:
        return json.loads(content), {}
    except ValueError as error:
        raise Refused(400, f"We could not parse the JSON body of your request: {error}") from error


async def _read_form(request: Request) -> tuple[dict[str, Any], dict[str, UploadedFile]]:
    """The fields, a file's name standing for the file, and the files."""
    fields: list[tuple[str, str]] = []
    files: dict[str, UploadedFile] = {}
    async with request.form() as form:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                files[name] = UploadedFile(value.filename or "", await value.read())
                fields.append((name, files[name].filename))
            else:
                fields.append((name, value))
    return _nest(fields), files


def _nest(items: Iterable[tuple[str, str]]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for name, value in items:
        match = _NESTED.fullmatch(name)
        if match is None:
            nested[name] = None if value == "null" else value
        else:
            inner = nested.setdefault(match["outer"], {})
            inner[match["inner"]] = value
    return nested
