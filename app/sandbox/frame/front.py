"""The counter of every simulator: what happens to one request, in order."""

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from app.sandbox.frame.connections import Connections
from app.sandbox.frame.exchange import JSON, Asked, Refused, Reply
from app.sandbox.frame.faults import Fault
from app.sandbox.frame.memory import Memory, Seen
from app.sandbox.frame.operations import Operation, Published, Vendor
from app.sandbox.frame.orders import Orders
from app.sandbox.frame.reading import read
from app.sandbox.frame.typed import complaints

CONTROL = "/__sandbox__"


class Front:
    """Reads, remembers, checks, lets the vendor answer, checks the answer, spoils it by order."""

    def __init__(self, vendor: Vendor, contract: Published | None) -> None:
        self.vendor = vendor
        self.orders = Orders()
        self.memory = Memory()
        self.connections = Connections()
        self._contract = contract

    def app(self, control: list[BaseRoute]) -> Starlette:
        """The ASGI app; `control` are the routes under `/__sandbox__`."""
        operations = [
            Route(
                self.vendor.base + operation.path,
                self._endpoint(operation),
                methods=[operation.method],
            )
            for operation in self.vendor.operations
        ]
        return Starlette(
            routes=[
                *operations,
                Mount(CONTROL, routes=control),
                Route("/{path:path}", self._not_found, methods=["GET", "POST", "PUT", "DELETE"]),
            ]
        )

    def answer(self, operation: Operation, asked: Asked) -> Reply:
        """What the vendor answers to a request that was read, its effect included."""
        self.vendor.catch_up()
        try:
            self._check_request(operation, asked)
            self.vendor.admit(asked)
            reply = self.vendor.stamp(operation.handle(asked))
        except Refused as refused:
            return self.refuse(refused)
        self._check_reply(operation, asked, reply)
        return reply

    def refuse(self, refused: Refused) -> Reply:
        """A refusal as the vendor writes it."""
        return self.vendor.stamp(self.vendor.refuse(refused))

    def _endpoint(self, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            fault = self.orders.take(request.method, request.url.path)
            exchange = OneExchange(self, operation, request, fault)
            try:
                if fault is not None:
                    return await fault.respond(exchange)
                return (await exchange.reply()).response()
            except ClientDisconnect:
                # Nobody is left to read it.
                return Response(status_code=400)

        return endpoint

    async def _not_found(self, request: Request) -> Response:
        await request.body()
        self.memory.note(request.method, request.url.path, None).status = 404
        self._accuse_request(request.method, request.url.path, "there is no such operation")
        message = f"Invalid URL ({request.method} {request.url.path})"
        return self.refuse(Refused(404, message)).response()

    def _check_request(self, operation: Operation, asked: Asked) -> None:
        wrong = [
            *(f"query {each}" for each in complaints(operation.query, asked.query)),
            *(f"body {each}" for each in complaints(operation.body, asked.body)),
            *(self._contract.of_request(operation, asked) if self._contract else []),
        ]
        for each in wrong:
            self._accuse_request(asked.method, asked.path, each)
        if wrong:
            raise Refused(400, wrong[0], code="contract_violation")

    def _check_reply(self, operation: Operation, asked: Asked, reply: Reply) -> None:
        declared = operation.answer if reply.media_type == JSON else operation.piece
        for value in map(self.vendor.documented, reply.values()):
            wrong = [
                *complaints(declared, value),
                *(self._contract.of_reply(operation, reply, value) if self._contract else []),
            ]
            for each in wrong:
                self.memory.accuse("answer", asked.method, asked.path, each)

    def _accuse_request(self, method: str, path: str, message: str) -> None:
        self.memory.accuse("request", method, path, message)


class OneExchange:
    """One request at the counter."""

    def __init__(
        self, front: Front, operation: Operation, request: Request, fault: Fault | None
    ) -> None:
        self._fault = fault.kind if fault else None
        self._front = front
        self._operation = operation
        self._request = request

    async def begin(self) -> None:
        """Read the first bytes of the body."""
        await anext(self._request.stream())
        self._note(None)

    async def read(self) -> None:
        """Read the request to its end, without any effect."""
        await self._request.body()
        try:
            self._note(await read(self._request))
        except Refused:
            self._note(None)

    async def reply(self) -> Reply:
        """Read the request, let it have its effect, and give what would be answered."""
        await self._request.body()
        try:
            asked = await read(self._request)
        except Refused as refused:
            reply = self._front.refuse(refused)
            self._note(None).status = reply.status
            return reply
        seen = self._note(asked)
        reply = self._front.answer(self._operation, asked)
        seen.status = reply.status
        return reply

    def refuse(self, refused: Refused) -> Reply:
        """A refusal in the vendor's shape."""
        return self._front.refuse(refused)

    def reset(self) -> None:
        """Break the connection."""
        self._front.connections.reset(self._request)

    def _note(self, asked: Asked | None) -> Seen:
        request = self._request
        return self._front.memory.note(request.method, request.url.path, asked, self._fault)
