"""Azure's habits at the counter: tokens, the shape of errors, the headers of every answer."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast
from uuid import uuid4

from app.sandbox.azure_ml.account import Account
from app.sandbox.azure_ml.operations import operations
from app.sandbox.frame.exchange import Asked, Refused, Reply
from app.sandbox.frame.operations import Operation


class AzureMLVendor:
    """The vendor that the frame asks."""

    base = ""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.operations: Sequence[Operation] = operations(account)

    def admit(self, asked: Asked) -> None:
        """Any token will do, but for those that have expired."""
        expired = self._account.conditions.expired_tokens
        if not asked.bearer or asked.bearer in expired:
            raise Refused(401, "The access token is expired.", code="ExpiredAuthenticationToken")

    def refuse(self, refused: Refused) -> Reply:
        """`{"error": {"code", "message"}}`, and the code in blob storage's header as well."""
        code = refused.code or "InternalServerError"
        error = {"code": code, "message": refused.message}
        reply = Reply.of({"error": error}, status=refused.status)
        return replace(reply, headers={"x-ms-error-code": code})

    def stamp(self, reply: Reply) -> Reply:
        """A request id."""
        return replace(reply, headers={"x-ms-request-id": str(uuid4()), **reply.headers})

    def documented(self, answer: Any) -> Any:
        """A job's status of the document in place of one that was ordered and is in none."""
        if not isinstance(answer, dict):
            return answer
        told = cast("dict[str, Any]", answer)
        if "value" in told:
            return told | {"value": [self.documented(item) for item in told["value"]]}
        properties = told.get("properties") or {}
        if properties.get("status") in self._account.conditions.shown_status.values():
            return told | {"properties": properties | {"status": "Running"}}
        return told

    def catch_up(self) -> None:
        """Every beat that is due."""
        self._account.jobs.catch_up()
