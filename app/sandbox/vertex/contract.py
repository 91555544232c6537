"""Google's published documents, and the spellings that its servers take beside them."""

from dataclasses import replace
from typing import Any

from google.cloud import aiplatform_v1 as v1

from app.sandbox.frame.documents import Documents
from app.sandbox.frame.exchange import Asked, Reply
from app.sandbox.frame.operations import Operation
from app.sandbox.vertex.messages import Message, camel, plain
from app.sandbox.vertex.operations import GENERATE, JOBS, STANDARD

_REQUESTS: dict[tuple[str, str], Message] = {
    ("POST", f"/v1{JOBS}"): v1.TuningJob,
    ("POST", f"/v1{GENERATE}"): v1.GenerateContentRequest,
}
_REPLIES: dict[tuple[str, str], Message] = {
    ("POST", f"/v1{JOBS}"): v1.TuningJob,
    ("GET", f"/v1{JOBS}"): v1.ListTuningJobsResponse,
    ("GET", f"/v1{JOBS}/{{tuningJobsId}}"): v1.TuningJob,
}


class GoogleContract(Documents):
    """The documents of Vertex AI, whose servers take other spellings of names and enums."""

    files = "google.aiplatform.*.openapi.json"

    def of_reply(self, operation: Operation, reply: Reply, answer: Any) -> list[str]:
        """What the documents say against an answer."""
        # Streams are described as one object; their pieces are checked by Google's own types.
        return [] if "stream" in operation.path else super().of_reply(operation, reply, answer)

    def _spelled_request(self, operation: Operation, asked: Asked) -> Asked:
        query = {name: value for name, value in asked.query.items() if name not in STANDARD}
        message = _REQUESTS.get((operation.method, operation.path))
        # What Google's own types do not know was found before.
        body = camel(asked.body)
        if message and asked.body:
            body = plain(message, asked.body, tolerant=True)
        return replace(asked, query=query, body=body)

    def _spelled_answer(self, operation: Operation, answer: Any) -> Any:
        message = _REPLIES.get((operation.method, operation.path))
        return plain(message, answer, tolerant=True) if message else answer
