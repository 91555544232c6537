"""Fine-tuning on one's own machine: Transformers, TRL and PEFT in processes of their own."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from app.domain.datasets import DatasetKind
from app.domain.provider import Connection, Operation, Provider, ProviderSpec

PACKAGES = ("torch", "transformers", "trl", "peft")

INSTALL = "pip install 'torch==2.13.0' && pip install 'luthier[local]'"


class LocalOptions(BaseModel):
    """Options of the `local` provider; the defaults suit a machine that does little else."""

    model_config = ConfigDict(extra="forbid")

    max_parallel_runs: Annotated[int, Field(ge=1, le=64)] = 1
    """Trainings at a time; more jobs wait their turn."""

    memory_limit_mb: Annotated[int, Field(ge=256)] | None = None
    """What one trainer may allocate; over it the job fails and the machine lives."""

    threads: Annotated[int, Field(ge=1, le=1024)] | None = None
    """Processor threads of one trainer; by default PyTorch's choice."""

    cancel_grace_seconds: Annotated[float, Field(ge=0, le=3600)] = 60.0
    """How long a trainer may take to save a checkpoint before it is killed."""

    inference_url: str | None = None
    """An OpenAI-compatible server, such as vLLM, that answers instead of the built-in worker."""

    inference_api_key: SecretStr | None = None
    """The key of that server."""

    inference_socket: Path | None = None
    """The socket of a worker that somebody else runs, in a container of its own for one."""

    inference_idle_seconds: Annotated[float, Field(ge=1)] = 600.0
    """How long the built-in worker keeps models in memory after the last question."""

    data_dir: Path | None = None
    """Where run folders live; by default `local` in the service's data directory."""


def _connect(connection: Connection) -> Provider:
    from app.providers.local.provider import LocalProvider

    options = connection.options
    assert isinstance(options, LocalOptions)
    return LocalProvider(SPEC, options, Path(connection.data_dir))


SPEC = ProviderSpec(
    kind="local",
    title="This machine",
    methods={"sft": DatasetKind.CHAT, "dpo": DatasetKind.PREFERENCE},
    operations=frozenset(
        {
            Operation.CANCEL,
            Operation.CHECKPOINTS,
            Operation.LOGS,
            Operation.DELETE,
            Operation.EXPORT,
        }
    ),
    options=LocalOptions,
    connect=_connect,
    # The run folder is there at once or never: nothing has to settle.
    settle_seconds=0.0,
    # Copying and syncing a large dataset into the run folder is slow work, not a lost answer.
    create_timeout_seconds=3600.0,
    packages=PACKAGES,
    install=INSTALL,
)
