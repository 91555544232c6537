"""How handlers come by the use cases."""

from typing import Annotated

from fastapi import Depends, Request

from app.services.bundle import Services


async def services(request: Request) -> Services:
    """The use cases of this process."""
    # Asynchronous, because FastAPI sends a plain function through a thread for every request.
    return request.app.state.services


Use = Annotated[Services, Depends(services)]
