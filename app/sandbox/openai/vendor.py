"""OpenAI's habits at the counter: keys, the shape of errors, the headers of every answer."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from app.sandbox.frame.exchange import Asked, Refused, Reply
from app.sandbox.frame.operations import Operation
from app.sandbox.openai.account import Account
from app.sandbox.openai.identity import new_id
from app.sandbox.openai.operations import operations

# Known to be sent, and in no contract.
UNDOCUMENTED_STATUSES = frozenset({"pausing", "paused", "resuming"})

_TYPES: Mapping[int, str] = {
    401: "authentication_error",
    403: "permission_error",
    429: "requests",
}
_SERVER_ERROR = 500
_LIMITS = {
    "x-ratelimit-limit-requests": "500",
    "x-ratelimit-remaining-requests": "499",
    "x-ratelimit-reset-requests": "120ms",
}


class OpenAIVendor:
    """The vendor that the frame asks."""

    base = "/v1"

    def __init__(self, account: Account) -> None:
        self._account = account
        self.operations: Sequence[Operation] = operations(account)

    def admit(self, asked: Asked) -> None:
        """Any key will do, but for those that have expired."""
        key = asked.bearer
        if not key:
            raise Refused(401, "You didn't provide an API key.")
        if key in self._account.conditions.expired_keys:
            raise Refused(
                401,
                f"Incorrect API key provided: {key[:3]}***. You can find your API key at "
                "https://platform.openai.com/account/api-keys.",
                code="invalid_api_key",
            )

    def refuse(self, refused: Refused) -> Reply:
        """`{"error": {...}}`, all four fields always there."""
        kind = "server_error" if refused.status >= _SERVER_ERROR else "invalid_request_error"
        error = {
            "message": refused.message,
            "type": _TYPES.get(refused.status, kind),
            "param": refused.param,
            "code": refused.code,
        }
        return Reply.of({"error": error}, status=refused.status)

    def stamp(self, reply: Reply) -> Reply:
        """A request id and rate limits."""
        return replace(reply, headers={**_LIMITS, "x-request-id": new_id("req_"), **reply.headers})

    def documented(self, answer: Any) -> Any:
        """A job's status of the contract in place of one that is known to stand outside it."""
        known = UNDOCUMENTED_STATUSES | set(self._account.conditions.shown_status.values())
        if answer.get("object") == "fine_tuning.job" and answer["status"] in known:
            return answer | {"status": "running"}
        if answer.get("object") == "chat.completion.chunk" and answer.get("usage") is None:
            # The contract's words say that it is null in all chunks but the last.
            return {name: value for name, value in answer.items() if name != "usage"}
        if answer.get("object") == "list":
            return answer | {"data": [self.documented(item) for item in answer["data"]]}
        return answer

    def catch_up(self) -> None:
        """Every beat that is due."""
        self._account.jobs.catch_up()
