"""Examples as the lines that Azure's fine-tuning jobs for chat completion take.

One conversation in a line, `{"messages": [{"role", "content"}, ...]}`, of text alone.
"""

from collections.abc import Sequence
from typing import Any, cast

import msgspec

from app.domain.catalogue import BaseModel, Limits
from app.domain.compiling import AsItIs, CompiledExample, Compiler, HoldsNothing
from app.domain.errors import Fault
from app.domain.examples import ChatExample, Example, Message
from app.domain.tokens import ESTIMATE, TokenMeasure, estimate_example
from app.providers.azure_ml.base_models import is_trainers

_LOSSES = {
    "weight_lost": "Azure's fine-tuning jobs learn from every answer: weight 0 is not carried.",
    "name_lost": "`name` of a speaker is not carried.",
    "refusal_as_text": "`refusal` is sent as the text of the answer.",
    "role_lost": "The role developer is sent as system.",
    "tools_lost": "`tools` are not carried: no call of one is in the example.",
}

_NO_TOOLS = Fault(
    "tool_calls_unsupported",
    "Azure's fine-tuning jobs take no tool calls and no tool results; leave such examples out, "
    "or train a base model luthier/....",
)
_NO_IMAGES = Fault(
    "part_unsupported", "Azure's fine-tuning jobs for chat completion take text only."
)

_CONTROL = (
    "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|begin_of_text|>", "<|end_of_text|>",
    "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|user|>", "<|assistant|>",
    "<|end|>", "[INST]", "[/INST]",
)  # fmt: skip
"""What marks turns for models of the registries; as text it is taken for such a mark."""

_encoder = msgspec.json.Encoder()


def compiler_for(base: BaseModel) -> Compiler:
    """Luthier's trainer reads the canonical lines themselves; Azure's jobs have their own."""
    if is_trainers(base.name):
        return AsItIs(limits=base.limits)
    return ChatCompiler(limits=base.limits)


class ChatCompiler(HoldsNothing, msgspec.Struct, frozen=True, kw_only=True):
    """The compiler of Azure's jobs; tokens are estimated, for the tokenizer is the cluster's."""

    limits: Limits
    fingerprint: str = "azure-ml-1"
    prefix: bytes = b""
    measure: TokenMeasure = ESTIMATE
    warnings: tuple[Fault, ...] = ()

    def compile(self, examples: Sequence[Example]) -> Sequence[CompiledExample]:
        """One line for each example."""
        return [_compiled(cast("ChatExample", example)) for example in examples]


def _compiled(example: ChatExample) -> CompiledExample:
    errors: list[Fault] = []
    lost: set[str] = set()
    messages = [_message(message, errors, lost) for message in example.messages]
    if example.tools:
        lost.add("tools_lost")
    return CompiledExample(
        data=_encoder.encode({"messages": messages}),
        tokens=estimate_example(example),
        errors=errors[:1],
        warnings=_control_tokens(messages),
        losses=[Fault(code, _LOSSES[code]) for code in sorted(lost)],
    )


def _message(message: Message, errors: list[Fault], lost: set[str]) -> dict[str, Any]:
    if message.role == "tool" or message.tool_calls:
        errors.append(_NO_TOOLS)
    if message.role == "developer":
        lost.add("role_lost")
    if message.name is not None:
        lost.add("name_lost")
    if message.weight == 0:
        lost.add("weight_lost")
    role = "system" if message.role == "developer" else message.role
    return {"role": role, "content": _text(message, errors, lost)}


def _control_tokens(messages: Sequence[dict[str, Any]]) -> list[Fault]:
    text = "\n".join(message["content"] for message in messages)
    found = [token for token in _CONTROL if token in text]
    if not found:
        return []
    message = f"{', '.join(found)} in a text may end or begin a turn for the model; remove it."
    return [Fault("control_token_in_text", message)]


def _text(message: Message, errors: list[Fault], lost: set[str]) -> str:
    if message.content is None and message.refusal is not None:
        lost.add("refusal_as_text")
        return message.refusal
    if not isinstance(message.content, list):
        return message.content or ""
    if any(part.get("type") != "text" for part in message.content):
        errors.append(_NO_IMAGES)
    return "".join(str(part.get("text") or "") for part in message.content)
