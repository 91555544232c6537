"""The tuned model on the disk: built aside, then there in one step, with its hash."""

import hashlib
import shutil
from pathlib import Path
from typing import Any

from app.providers.local.durable import sync_folder, sync_tree

FOLDER = "model"
_BLOCK = 1 << 20


def save_model(model: Any, tokenizer: Any, *, run: Path, name: str = FOLDER) -> Path:
    """Save an adapter or a whole model with its tokenizer as a folder of the run."""
    draft, final = run / f".{name}.draft", run / name
    shutil.rmtree(draft, ignore_errors=True)
    try:
        # An adapter that continues another has a frozen copy of it beside, as DPO's reference.
        chosen = {"selected_adapters": ["default"]} if hasattr(model, "peft_config") else {}
        model.save_pretrained(draft, **chosen)
        tokenizer.save_pretrained(draft)
        sync_tree(draft)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    shutil.rmtree(final, ignore_errors=True)
    draft.rename(final)
    sync_folder(run)
    return final


def weights_sha256(folder: Path) -> str:
    """The hash over the folder's safetensors files, one after the other by name."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    return digest.hexdigest()
