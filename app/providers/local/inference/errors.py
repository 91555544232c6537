"""What can go wrong between a client and the model that should answer it.

InferenceError
├── InferenceUnavailable        nobody could answer; the same request may work later
│   ├── InferenceUnreachable    nobody listened, so the request was never received
│   └── InferenceTimedOut       no answer in the time that was given
└── InferenceRejected           the server read the request and answered with an error
"""

from typing import Any


class InferenceError(Exception):
    """Base of everything that the clients raise."""


class InferenceUnavailable(InferenceError):
    """Nobody could answer, or the answer broke off."""


class InferenceUnreachable(InferenceUnavailable):
    """Nobody listened, so the request was never received and may safely be repeated."""


class InferenceTimedOut(InferenceUnavailable):
    """No answer came in the time that was given."""


class InferenceRejected(InferenceError):
    """The server's own refusal: HTTP `status`, OpenAI's `code` and the offending `param`."""

    def __init__(
        self, status: int, code: str | None, message: str, *, param: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.param = param

    @classmethod
    def from_body(cls, status: int, body: Any) -> "InferenceRejected":
        """Read `{"error": {"message", "param", "code"}}`; anything else becomes the message."""
        error: Any = body.get("error") if isinstance(body, dict) else None
        if not isinstance(error, dict):
            return cls(status, None, str(body))
        code = error.get("code")
        return cls(
            status,
            None if code is None else str(code),
            str(error.get("message")),
            param=error.get("param"),
        )

    def to_body(self) -> dict[str, Any]:
        """The refusal in OpenAI's error shape."""
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        return {
            "error": {
                "message": self.message,
                "type": kind,
                "param": self.param,
                "code": self.code,
            }
        }
