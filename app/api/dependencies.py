"""How handlers come by the use cases."""

from typing import Annotated

from fastapi import Depends, Request

from app.services.bundle import Services


def services(request: Request) -> Services:
    """The use cases of this process."""
    return request.app.state.services


Use = Annotated[Services, Depends(services)]
