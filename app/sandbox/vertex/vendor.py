"""Google's habits at the counter: tokens, the shape of errors, states outside its documents."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from app.sandbox.frame.exchange import Asked, Refused, Reply
from app.sandbox.frame.operations import Operation
from app.sandbox.vertex import tokens
from app.sandbox.vertex.account import Account
from app.sandbox.vertex.operations import operations

RETRY_DELAY = "7s"

_STATUSES: Mapping[int, str] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    412: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class GoogleVendor:
    """The vendor that the frame asks."""

    base = ""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.operations: Sequence[Operation] = operations(account)

    def admit(self, asked: Asked) -> None:
        """Any token will do, but for those that have expired, or where all have."""
        if asked.path == tokens.PATH:
            return
        if not asked.bearer or self._is_expired(asked.bearer):
            raise Refused(401, "Request had invalid authentication credentials.")

    def _is_expired(self, token: str) -> bool:
        return bool({"*", token} & self._account.conditions.expired_tokens)

    def refuse(self, refused: Refused) -> Reply:
        """`{"error": {"code", "message", "status", "details"?}}`"""
        error: dict[str, Any] = {
            "code": refused.status,
            "message": refused.message,
            "status": _STATUSES.get(refused.status, "UNKNOWN"),
        }
        if error["status"] == "RESOURCE_EXHAUSTED":
            kind = "type.googleapis.com/google.rpc.RetryInfo"
            error["details"] = [{"@type": kind, "retryDelay": RETRY_DELAY}]
        return Reply.of({"error": error}, status=refused.status)

    def stamp(self, reply: Reply) -> Reply:
        """Google's answers carry no request id that its libraries read."""
        return reply

    def documented(self, answer: Any) -> Any:
        """A job's state of the document in place of one that was ordered and is in none."""
        shown = set(self._account.conditions.shown_state.values())
        if isinstance(answer, dict) and cast("dict[str, Any]", answer).get("state") in shown:
            return answer | {"state": "JOB_STATE_RUNNING"}
        return answer

    def catch_up(self) -> None:
        """Every beat that is due."""
        self._account.jobs.catch_up()
