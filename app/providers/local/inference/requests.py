"""A chat request in OpenAI's shape: what is read, what is ignored, what is refused."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from app.providers.local.inference.errors import InferenceRejected

# Parameters that change nothing about what the model says.
_HARMLESS = frozenset(
    {
        "metadata",
        "prompt_cache_key",
        "prompt_cache_retention",
        "safety_identifier",
        "service_tier",
        "store",
        "user",
    }
)
# Parameters of OpenAI's that the worker cannot honour, with the values that ask for nothing.
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "audio": (),
    "frequency_penalty": (0,),
    "function_call": ("none", "auto"),
    "functions": ([],),
    "logit_bias": ({},),
    "logprobs": (False,),
    "modalities": (["text"],),
    "n": (1,),
    "parallel_tool_calls": (True,),
    "prediction": (),
    "presence_penalty": (0,),
    "reasoning_effort": ("none",),
    "response_format": ({"type": "text"},),
    "tool_choice": ("none", "auto"),
    "top_logprobs": (0,),
    "verbosity": ("medium",),
    "web_search_options": (),
}


class TextPart(BaseModel):
    """One part of a message's content; only text is understood."""

    type: Literal["text"]
    text: str


class Message(BaseModel):
    """One turn; content in parts is joined, the developer's role is the system's."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[TextPart] | None = None
    name: str | None = None
    tool_calls: list[dict[str, Any]] | None = None
    tool_call_id: str | None = None

    def as_turn(self) -> dict[str, Any]:
        """The message as chat templates read it."""
        turn = self.model_dump(exclude_none=True)
        turn["role"] = "system" if self.role == "developer" else self.role
        if isinstance(self.content, list):
            turn["content"] = "".join(part.text for part in self.content)
        turn.setdefault("content", "")
        return turn


class StreamOptions(BaseModel):
    """What a stream carries besides text."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


def _as_list(value: Any) -> Any:
    if value is None:
        return []
    return [value] if isinstance(value, str) else value


Temperature = Annotated[float, Field(ge=0, le=2)]
TopP = Annotated[float, Field(ge=0, le=1)]
TokenLimit = Annotated[int, Field(ge=1)]
StopText = Annotated[str, Field(min_length=1)]


class ChatRequest(BaseModel):
    """What the worker understands; temperature 0 means greedy, as does top_p 0."""

    model_config = ConfigDict(extra="forbid")

    model: str
    messages: Annotated[list[Message], Field(min_length=1)]
    max_tokens: TokenLimit | None = None
    max_completion_tokens: TokenLimit | None = None
    temperature: Temperature | None = None
    top_p: TopP | None = None
    stop: Annotated[list[StopText], BeforeValidator(_as_list), Field(max_length=4)] = []
    seed: int | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    tools: list[dict[str, Any]] | None = None

    @property
    def token_limit(self) -> int | None:
        """The most tokens that the answer may have; None leaves it to the context."""
        return self.max_completion_tokens or self.max_tokens

    @property
    def wants_usage(self) -> bool:
        """Whether a stream ends with a chunk that counts tokens."""
        return bool(self.stream_options and self.stream_options.include_usage)

    def turns(self) -> list[dict[str, Any]]:
        """The conversation as chat templates read it."""
        return [message.as_turn() for message in self.messages]


def read_chat_request(body: Any) -> ChatRequest:
    """Check a decoded body; InferenceRejected (400) names the first parameter that is wrong."""
    if not isinstance(body, dict):
        raise InferenceRejected(400, "invalid_body", "The body must be a JSON object.")
    asked = {name: value for name, value in body.items() if name not in _HARMLESS}
    for name in asked.keys() & _NEUTRAL.keys():
        _refuse_unless_neutral(name, asked[name])
    understood = {name: value for name, value in asked.items() if name not in _NEUTRAL}
    if asked.get("tool_choice") == "none":
        understood.pop("tools", None)
    try:
        return ChatRequest.model_validate(understood)
    except ValidationError as error:
        raise _as_rejection(error) from error


def _refuse_unless_neutral(name: str, value: Any) -> None:
    if value is None or value in _NEUTRAL[name]:
        return
    raise InferenceRejected(
        400, "unsupported_value", f"This server cannot honour {name}={value!r}.", param=name
    )


def _as_rejection(error: ValidationError) -> InferenceRejected:
    first = error.errors()[0]
    param = ".".join(str(step) for step in first["loc"])
    if first["type"] == "extra_forbidden":
        return InferenceRejected(
            400, "unknown_parameter", f"Unknown parameter: {param!r}.", param=param
        )
    return InferenceRejected(400, "invalid_value", f"{param}: {first['msg']}.", param=param)
