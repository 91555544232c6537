"""Bodies against Google's own types: protobuf for the stable API, google-genai's for the beta.

Google takes snake case as well as camel case, numbers for enums, and text for long numbers:
protobuf's own parser knows all of it, and refuses fields that do not exist.
"""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, cast

from google.cloud import aiplatform_v1 as v1
from google.genai.types import TuningJob as BetaTuningJob
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from pydantic import AfterValidator, TypeAdapter

_SNAKE = re.compile(r"_([a-z0-9])")
_beta_job: TypeAdapter[Any] = TypeAdapter(BetaTuningJob)

Message = Any
"""A class of `google.cloud.aiplatform_v1.types`; proto-plus gives them no useful type."""


def declared(message: Message) -> Any:
    """The type of a body that the message must parse."""
    return Annotated[Any, AfterValidator(_checked(lambda body: parsed(message, body)))]


def plain(message: Message, body: Any, *, tolerant: bool = False) -> dict[str, Any]:
    """The body in camel case with named enums; `tolerant` drops what the message does not know."""
    return MessageToDict(parsed(message, body, tolerant=tolerant))


def numbered(message: Message, body: Any) -> dict[str, Any]:
    """The body as `enum-encoding=int` answers it, without what the message does not know."""
    return MessageToDict(parsed(message, body, tolerant=True), use_integers_for_enums=True)


def parsed(message: Message, body: Any, *, tolerant: bool = False) -> Any:
    """The protobuf message of a body; raises `ParseError`."""
    return ParseDict(body, message.pb(message()), ignore_unknown_fields=tolerant)


def camel(value: Any) -> Any:
    """Keys in camel case; those of labels and of schemas' properties are the user's own."""
    if isinstance(value, Mapping):
        return {
            _SNAKE.sub(lambda found: found[1].upper(), key): inner
            if key in ("labels", "properties", "args", "response")
            else camel(inner)
            for key, inner in cast("Mapping[str, Any]", value).items()
        }
    return [camel(one) for one in cast("list[Any]", value)] if isinstance(value, list) else value


def _checked(check: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def validate(body: Any) -> Any:
        try:
            check(body)
        except ParseError as error:
            raise ValueError(str(error)) from error
        return body

    return validate


BETA_JOB = Annotated[
    Any, AfterValidator(_checked(lambda job: _beta_job.validate_python(camel(job))))
]
JOB = declared(v1.TuningJob)
JOBS = declared(v1.ListTuningJobsResponse)
QUESTION = declared(v1.GenerateContentRequest)
ANSWER = declared(v1.GenerateContentResponse)
