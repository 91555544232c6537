"""A last look before success is claimed: does what was saved load and answer?"""

from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from app.providers.local.hyperparameters import Effective
from app.providers.local.trainer.failures import ArtifactUnusable

NEW_TOKENS = 8


def probe(folder: Path, *, base: str | None, prompt: list[int], effective: Effective) -> str:
    """Load what was saved (an adapter on `base`) and let it answer a prompt; the answer's text.

    Raises ArtifactUnusable when it does not load or its scores are no numbers.
    """
    try:
        return _answer(folder, base, prompt, effective)
    except Exception as error:
        raise ArtifactUnusable(f"The saved model cannot be used: {error}") from error


def _answer(folder: Path, base: str | None, prompt: list[int], effective: Effective) -> str:
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model = _load(folder, base, effective)
    ids = torch.tensor([prompt], device=effective.device)
    output = model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=NEW_TOKENS,
        do_sample=False,
        output_logits=True,
        return_dict_in_generate=True,
    )
    if not all(bool(torch.isfinite(logits).all()) for logits in output.logits):
        raise ArithmeticError("its scores are not finite")
    return str(tokenizer.decode(output.sequences[0][len(prompt) :]))


def _load(folder: Path, base: str | None, effective: Effective) -> Any:
    """As serving would: in the hardware's precision, an adapter on its unquantised base."""
    dtype = getattr(torch, effective.dtype)
    model: Any = AutoModelForCausalLM.from_pretrained(base or folder, dtype=dtype)
    if base is not None:
        model = PeftModel.from_pretrained(model, str(folder))
    return model.to(effective.device).eval()
