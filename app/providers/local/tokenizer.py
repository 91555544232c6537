"""The tokenizer of a base model, the same for compiling and for training."""

from typing import Any

from transformers import AutoTokenizer

from app.providers.local.rendering import ensure_template


def load_tokenizer(name: str) -> Any:
    """The base model's tokenizer, with a chat template and a padding token in any case.

    Raises OSError or ValueError where there is none.
    """
    tokenizer: Any = AutoTokenizer.from_pretrained(name)
    ensure_template(tokenizer)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer
