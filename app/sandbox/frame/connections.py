"""The connections of a running server, and how to break one."""

import socket
import struct

import uvicorn
from starlette.requests import Request
from starlette.types import Receive
from uvicorn.protocols.http.h11_impl import H11Protocol

_RESET_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER on, for no time: close sends RST


class Connections:
    """Those of the server that runs now, if one does."""

    def __init__(self) -> None:
        self.server: uvicorn.Server | None = None

    def reset(self, request: Request) -> None:
        """Break a request's connection: its client sees a reset."""
        assert request.client is not None
        for connection in self._all():
            if connection.client == tuple(request.client):
                _break(connection)

    def reset_all(self) -> None:
        """Break every connection, those whose requests hang included."""
        for connection in self._all():
            _break(connection)

    def _all(self) -> list[H11Protocol]:
        if self.server is None:
            return []
        connections = list(self.server.server_state.connections)
        return [each for each in connections if isinstance(each, H11Protocol)]


def _break(connection: H11Protocol) -> None:
    peer = connection.transport.get_extra_info("socket")
    if peer is not None:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_ONCE)
    connection.transport.abort()


async def until_gone(receive: Receive) -> None:
    """Wait until the client is no longer there."""
    while (await receive())["type"] != "http.disconnect":
        pass
