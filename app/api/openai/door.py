"""The door itself: an application of its own, with its own errors and its own description."""

from fastapi import FastAPI
from starlette.datastructures import State

from app.api.openai import chat, files, jobs, models, refusals, series, uploads
from app.api.openai.accidents import Accidents

PREFIX = "/openai/v1"

DESCRIPTION = (
    "OpenAI's API for every provider behind the service: a program that was written for OpenAI "
    "changes its base URL and its key."
)


def create_door(state: State, *, version: str) -> FastAPI:
    """What stands at `PREFIX`; it finds the use cases in the state of the whole service."""
    door = FastAPI(
        title="Luthier, the OpenAI door",
        version=version,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
    )
    door.state = state
    for room in (chat, jobs, series, files, uploads, models):
        door.router.routes.extend(room.router.routes)
    refusals.install(door)
    door.add_middleware(Accidents)
    return door
