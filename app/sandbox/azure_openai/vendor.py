"""Azure's habits at the counter: keys and tokens, codes of errors, the headers of every answer."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

from app.sandbox.azure_openai.account import AzureAccount
from app.sandbox.azure_openai.operations import ARM, operations
from app.sandbox.frame.exchange import Asked, Refused, Reply
from app.sandbox.openai.vendor import OpenAIVendor

_CODES: Mapping[int, str] = {
    400: "invalidPayload",
    401: "401",
    403: "forbidden",
    404: "notFound",
    409: "conflict",
    413: "invalidPayload",
    429: "tooManyRequests",
    503: "serviceUnavailable",
}
_NOT_AZURES = frozenset(
    {
        "content_size_limit_exceeded",
        "fine_tune_not_found",
        "fine_tuning_not_available",
        "invalid_file",
        "invalid_value",
        "model_not_found",
    }
)


class AzureVendor(OpenAIVendor):
    """The vendor that the frame asks."""

    base = ""

    def __init__(self, account: AzureAccount) -> None:
        super().__init__(account)
        self._azure = account
        self.operations = operations(account)

    def admit(self, asked: Asked) -> None:
        """Any key or token but those that have expired; Resource Manager takes tokens only."""
        key = "" if asked.path.startswith(ARM) else asked.headers.get("api-key", "")
        given = {text for text in (key, asked.bearer) if text}
        if not given or given & self._azure.conditions.expired_keys:
            raise Refused(
                401,
                "Access denied due to invalid subscription key or wrong API endpoint. Make sure "
                "to provide a valid key for an active subscription and use a correct regional "
                "API endpoint for your resource.",
            )

    def refuse(self, refused: Refused) -> Reply:
        """`{"error": {...}}` with a code in any case."""
        code = None if refused.code in _NOT_AZURES else refused.code
        error = {
            "code": code or _CODES.get(refused.status, "internalFailure"),
            "message": refused.message,
            "param": refused.param,
            "type": None,
        }
        return Reply.of({"error": error}, status=refused.status)

    def stamp(self, reply: Reply) -> Reply:
        """The gateway's request id, and the region."""
        stamped = {"apim-request-id": str(uuid4()), "x-ms-region": "Sweden Central"}
        return replace(reply, headers={**stamped, **reply.headers})

    def documented(self, answer: Any) -> Any:
        """OpenAI's rules, and none of the chunk that only tells of the content filter."""
        if "prompt_filter_results" in answer:
            kept = {name: answer[name] for name in answer if name != "prompt_filter_results"}
            return kept | {"object": "chat.completion.chunk"}
        return super().documented(answer)

    def catch_up(self) -> None:
        """Every beat that is due, and what was idle for too long."""
        super().catch_up()
        self._azure.deployments.catch_up()
