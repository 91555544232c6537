"""A tiny random Llama, two adapters on it, and one worker for them all, built once."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from app.providers.local.inference.client import InferenceWorker
from app.providers.local.inference.handles import ModelHandle

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CONTEXT_LENGTH = 512


@pytest.fixture(scope="session")
def base_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole model of about 100,000 parameters."""
    folder = tmp_path_factory.mktemp("models") / "base"
    _write_tokenizer(folder)
    _write_model(folder)
    return folder


@pytest.fixture(scope="session")
def endless_folder(base_folder: Path) -> Path:
    """The same model with room for a million tokens, so that only a cancel ends its answers."""
    folder = base_folder.with_name("endless")
    shutil.copytree(base_folder, folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {"max_position_embeddings": 1_000_000, "eos_token_id": None}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(scope="session")
def adapter_folders(base_folder: Path) -> list[Path]:
    """Two LoRA adapters with random weights."""
    folders = [base_folder.with_name(name) for name in ("first", "second")]
    for seed, folder in enumerate(folders):
        _write_adapter(folder, base_folder, seed)
    return folders


@pytest.fixture(scope="session")
def base(base_folder: Path) -> str:
    """The base model as a request names it."""
    return str(ModelHandle.base(base_folder))


@pytest.fixture(scope="session")
def adapters(adapter_folders: list[Path]) -> list[str]:
    """The adapters as requests name them."""
    return [str(ModelHandle.adapter(folder)) for folder in adapter_folders]


@pytest.fixture(scope="session")
def socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The socket of the worker that the tests share; it starts with the first call."""
    path = tmp_path_factory.mktemp("run") / "shared.sock"
    yield path
    asyncio.run(InferenceWorker(path).stop())


@pytest_asyncio.fixture
async def worker(socket: Path) -> AsyncIterator[InferenceWorker]:
    """A client of the shared worker."""
    worker = InferenceWorker(socket, threads=1)
    yield worker
    await worker.close()


@pytest_asyncio.fixture
async def foreign_server(worker: InferenceWorker, socket: Path) -> AsyncIterator[str]:
    """The base URL of a server that is reached over TCP and that nobody here can start."""
    await worker.endpoint()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, questions = await asyncio.open_unix_connection(socket)
        await asyncio.gather(_pass_on(reader, questions), _pass_on(answers, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


async def _pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        target.write(data)
        await target.drain()
    target.close()


def _write_tokenizer(folder: Path) -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|pad|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(["the quick brown fox jumps over the lazy dog " * 5], trainer)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|pad|>",
        additional_special_tokens=special[:2],
        chat_template=CHAT_TEMPLATE,
    ).save_pretrained(str(folder))


def _write_model(folder: Path) -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=300,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT_LENGTH,
        initializer_range=0.3,  # with less, greedy answers say one token over and over
        bos_token_id=0,
        eos_token_id=2,
        pad_token_id=3,
    )
    LlamaForCausalLM(config).save_pretrained(folder)


def _write_adapter(folder: Path, base_folder: Path, seed: int) -> None:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    config = LoraConfig(
        r=4, target_modules=["q_proj", "v_proj", "down_proj"], init_lora_weights=False
    )
    model = AutoModelForCausalLM.from_pretrained(base_folder)
    get_peft_model(model, config).save_pretrained(str(folder))
