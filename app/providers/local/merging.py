"""The process that lays an adapter into its base model's weights, and saves the whole beside it."""

import fcntl
import sys
from pathlib import Path
from typing import Any

from app.providers.local.children import be_modest


def main() -> int:
    """Merge `<adapter folder> <base> <memory limit in MiB or 0> <threads or 0>`."""
    folder, base = Path(sys.argv[1]), sys.argv[2]
    megabytes, threads = int(sys.argv[3]), int(sys.argv[4])
    be_modest(threads=threads or None, memory_limit_bytes=megabytes * 1024 * 1024 or None)
    # Two processes of the service may share the folder; one of them merges.
    with (folder.parent / "merge.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _merge(folder, base, threads)
    return 0


def _merge(folder: Path, base: str, threads: int) -> None:
    from app.providers.local.exports import MERGED_FOLDER

    if (folder.parent / MERGED_FOLDER).is_dir():
        return
    # Loaded only here, under the limits that this process has set itself.
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from app.providers.local.inference.loading import choose_device
    from app.providers.local.trainer.saving import save_model

    if threads:
        torch.set_num_threads(threads)
    # In the precision in which the service answers, so that both say the same.
    dtype = torch.float32 if choose_device().type == "cpu" else torch.bfloat16
    model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=dtype)
    merged: Any = PeftModel.from_pretrained(model, str(folder))
    merged = merged.merge_and_unload(safe_merge=True)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    save_model(merged, tokenizer, run=folder.parent, name=MERGED_FOLDER)


if __name__ == "__main__":
    sys.exit(main())
