"""Server-sent events as the WHATWG standard frames them, read as they come."""

import re
from collections.abc import AsyncGenerator, AsyncIterator

# A carriage return at the end of a piece may be the first half of a line's end.
_LINE_END = re.compile(rb"\r\n|\n|\r(?!\Z)")


async def data_of(pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    """The data of each event; one whose end is missing is none."""
    rest, told = b"", list[bytes]()
    async for piece in pieces:
        *lines, rest = _LINE_END.split(rest + piece)
        for line in lines:
            if line.startswith(b"data:"):
                told.append(line[5:].removeprefix(b" "))
            elif not line and told:
                yield b"\n".join(told)
                told = []
