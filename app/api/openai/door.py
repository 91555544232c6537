"""The door itself: an application of its own, with its own errors and its own description."""

import re

from fastapi import FastAPI
from starlette.datastructures import State
from starlette.routing import Mount

from app.api import attendance
from app.api.measuring import SILENT
from app.api.openai import chat, files, jobs, models, refusals, series, uploads
from app.api.openai.accidents import Accidents

PREFIX = "/openai/v1"

DESCRIPTION = (
    "OpenAI's API for every provider behind the service: a program that was written for OpenAI "
    "changes its base URL and its key."
)


def entrance(state: State, *, version: str) -> Mount:
    """What lets everything below `PREFIX` in, so that all of it is answered as OpenAI would."""
    mount = Mount(PREFIX, create_door(state, version=version))
    # Starlette's own expression ends at a line break, which a path may hold.
    mount.path_regex = re.compile(mount.path_regex.pattern, re.DOTALL)
    return mount


def create_door(state: State, *, version: str) -> FastAPI:
    """The application; it finds the use cases in the state of the whole service."""
    door = FastAPI(
        title="Luthier, the OpenAI door",
        version=version,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        telemetry=SILENT,
    )
    door.state = state
    for room in (chat, jobs, series, files, uploads, models):
        door.router.routes.extend(room.router.routes)
    attendance.attend(door.routes)
    refusals.install(door)
    door.add_middleware(Accidents)
    return door
