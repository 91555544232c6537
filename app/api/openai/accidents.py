"""What breaks inside the door, answered in OpenAI's shape before Starlette answers in its own."""

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.openai import refusals

log = structlog.get_logger()


class Accidents:
    """ASGI middleware around everything in the door; the gate has given the request its id."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def send_noting(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        except ClientDisconnect:
            raise
        except Exception:
            if has_begun:
                raise
            request_id = scope["state"]["request_id"]
            log.exception("request_broke", path=scope["path"])
            await refusals.accident(request_id)(scope, receive, send)
