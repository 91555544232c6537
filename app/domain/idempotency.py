"""A client's promise that two requests are one."""

import msgspec


class Idempotency(msgspec.Struct, frozen=True):
    """The client's key for one operation, with the hash of the body that it came with."""

    operation: str
    key: str
    fingerprint: str
