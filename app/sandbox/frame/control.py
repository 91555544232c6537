"""The control endpoints that every simulator has under `/__sandbox__`."""

from dataclasses import asdict
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, NonNegativeFloat, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app.sandbox.frame.clock import Clock
from app.sandbox.frame.front import Front
from app.sandbox.frame.orders import Order

NO_CONTENT = 204
BAD_REQUEST = 400
Wanted = TypeVar("Wanted", bound=BaseModel)


class Advance(BaseModel):
    """How far the clock is to be moved ahead."""

    model_config = ConfigDict(extra="forbid")

    seconds: NonNegativeFloat


class Control:
    """Orders, memory and time by HTTP, for whoever does not run in the simulator's process."""

    def __init__(self, front: Front, clock: Clock) -> None:
        self._front = front
        self._clock = clock

    def routes(self) -> list[BaseRoute]:
        """The routes, without the prefix."""
        return [
            Route("/requests", self._requests),
            Route("/violations", self._violations),
            Route("/orders", self._orders),
            Route("/orders", self._order, methods=["POST"]),
            Route("/orders", self._withdraw, methods=["DELETE"]),
            Route("/clock", self._advance, methods=["POST"]),
        ]

    def pass_time(self, seconds: float) -> None:
        """Move the clock ahead, with everything that is due by then."""
        self._clock.advance(seconds)
        self._front.vendor.catch_up()

    async def _requests(self, _request: Request) -> Response:
        return JSONResponse([asdict(seen) for seen in self._front.memory.requests])

    async def _violations(self, _request: Request) -> Response:
        return JSONResponse([asdict(violation) for violation in self._front.memory.violations])

    async def _orders(self, _request: Request) -> Response:
        return JSONResponse([order.model_dump() for order in self._front.orders.open])

    async def _order(self, request: Request) -> Response:
        self._front.orders.add(await body_of(request, Order))
        return Response(status_code=NO_CONTENT)

    async def _withdraw(self, _request: Request) -> Response:
        self._front.orders.withdraw()
        return Response(status_code=NO_CONTENT)

    async def _advance(self, request: Request) -> Response:
        self.pass_time((await body_of(request, Advance)).seconds)
        return JSONResponse({"now": self._clock.now()})


async def body_of(request: Request, wanted: type[Wanted]) -> Wanted:
    """The body of a control request; what cannot be read is answered with 400 and the reason."""
    try:
        return wanted.model_validate_json(await request.body())
    except ValidationError as error:
        raise HTTPException(BAD_REQUEST, str(error)) from error
