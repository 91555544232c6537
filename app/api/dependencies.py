"""How handlers come by the use cases."""

from typing import Annotated

from fastapi import Depends, Request

from app.domain.access import Caller
from app.services.bundle import Services


async def services(request: Request) -> Services:
    """The use cases of this process."""
    # Asynchronous, because FastAPI sends a plain function through a thread for every request.
    return request.app.state.services


async def caller(request: Request) -> Caller:
    """Who sent the request, as the gate has found."""
    return request.state.caller


Calling = Annotated[Caller, Depends(caller)]
"""Whoever an operation is done for."""

Use = Annotated[Services, Depends(services)]
