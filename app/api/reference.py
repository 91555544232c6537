"""The API's description as a page: Swagger UI 5.35.0, served from here so that it works offline."""

from pathlib import Path

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse

router = APIRouter(prefix="/docs", include_in_schema=False)

FOLDER = Path(__file__).parent / "swagger_ui"

ASSETS = frozenset({"begin.js", "favicon-32x32.png", "swagger-ui-bundle.js", "swagger-ui.css"})

_HEADERS = {
    # Whatever a description may hold, the page gets nothing from elsewhere and tells nobody.
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}


@router.get("")
async def get_reference() -> FileResponse:
    """The page; its links are relative, so that it may stand behind a prefix."""
    return FileResponse(FOLDER / "index.html", headers=_HEADERS)


@router.get("/{name}")
async def get_asset(name: str) -> FileResponse:
    """A part of the page; browsers ask whether it has changed."""
    if name not in ASSETS:
        raise HTTPException(404, f"The page has no part {name!r}.")
    return FileResponse(FOLDER / name, headers=_HEADERS | {"Cache-Control": "no-cache"})
