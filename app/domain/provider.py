"""The provider port: what every place that can fine-tune a model promises.

Each verb says what holds afterwards and what repeating it does. A verb may raise `Later`,
`Never` or `YourTurn`; any other exception means that the outcome is unknown.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

import msgspec
from pydantic import BaseModel as OptionsModel

from app.domain.catalogue import BaseModel, Creation
from app.domain.compiling import Compiler
from app.domain.datasets import DatasetKind, DatasetSummary
from app.domain.errors import Fault
from app.domain.jobs import (
    Checkpoint,
    Event,
    JobError,
    Method,
    MetricPoint,
    Millis,
    Progress,
    Remote,
)
from app.domain.provenance import BaseSnapshot


class Operation(StrEnum):
    """What a provider may offer beyond training and answering."""

    CANCEL = "cancel"
    PAUSE = "pause"
    RESUME = "resume"
    CHECKPOINTS = "checkpoints"
    LOGS = "logs"
    DEPLOY = "deploy"
    DELETE = "delete"
    IMPORT = "import"
    REFRESH = "refresh"
    EXPORT = "export"


class ProviderSpec(msgspec.Struct, frozen=True, kw_only=True):
    """How a provider's folder introduces itself, without loading its SDK."""

    kind: str
    title: str
    methods: Mapping[str, DatasetKind]
    operations: frozenset[Operation]
    options: type[OptionsModel]
    connect: Callable[["Connection"], "Provider"]
    settle_seconds: float
    """How long after an ambiguous create a look-up can be trusted to see what was created."""
    create_timeout_seconds: float = 30.0
    packages: tuple[str, ...] = ()
    """Modules that the provider needs at work; a missing one is named with `install`."""
    install: str | None = None
    models_in_memory: bool = False
    """Whether looking a base model up reads no file: it is then done without a thread."""


class Connection(msgspec.Struct, frozen=True):
    """One provider: its name, its checked options, where it may keep files.

    `correction` is what the operator knows better of its base models (see `catalogue`).
    """

    name: str
    options: OptionsModel
    data_dir: str
    correction: Mapping[str, Any] = {}


class ExampleSource(Protocol):
    """The examples of one dataset as canonical JSON Lines, to be read as often as needed."""

    @property
    def count(self) -> int:
        """How many examples `chunks` gives."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """The bytes in order, in pieces of any size."""
        ...


class TrainingPlan(msgspec.Struct, frozen=True, kw_only=True):
    """All that a provider needs to start one attempt; `key` is its submission key."""

    key: str
    base_model: str
    parent_artifact: str | None
    method: Method
    seed: int
    name: str | None
    training: ExampleSource
    validation: ExampleSource | None


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """What can be judged before anything is sent: base model, method and the dataset's figures."""

    base_model: BaseModel
    method: Method
    dataset: DatasetSummary


class Epochs(msgspec.Struct, frozen=True):
    """What was asked for, or the least and the most that `auto` may choose."""

    low: float
    high: float


class RemoteState(StrEnum):
    """The provider's state in our words; `unknown` is kept and told, never taken as failed."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class Artifact(msgspec.Struct, frozen=True):
    """What a finished training left: the provider's handle, and how it came about."""

    handle: str
    kind: str
    effective: dict[str, Any] = {}
    """The hyperparameters as used, with device, precision and versions."""
    trained_tokens: int | None = None
    sha256: str | None = None
    base: BaseSnapshot | None = None


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """One look at a job; lists hold what is new since the cursor that was given."""

    state: RemoteState
    remote: Remote
    look_again_in: float
    """Seconds until a look is worth while; an old training is looked at more seldom."""
    detail: str | None = None
    progress: Progress | None = None
    metrics: Sequence[MetricPoint] = ()
    checkpoints: Sequence[Checkpoint] = ()
    events: Sequence[Event] = ()
    cursor: str | None = None
    artifact: Artifact | None = None
    error: JobError | None = None
    trained_tokens: int | None = None
    """Tokens seen in training until now, each epoch counted; None where the provider tells at the
    end only."""


class Servable(msgspec.Struct, frozen=True):
    """What can be asked: a base model, or what was tuned from it by its artefact's handle."""

    base_model: str
    artifact: str | None = None


class Submitted(msgspec.Struct, frozen=True, kw_only=True):
    """Work at the provider that carries a submission key."""

    key: str
    remote: Remote
    state: RemoteState


class DeploymentState(StrEnum):
    """The provider's state of a deployment in our words."""

    CREATING = "creating"
    READY = "ready"
    DELETING = "deleting"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """What serves a tuned model, under the name that it has at the provider."""

    name: str
    state: DeploymentState
    since: Millis | None = None
    ends_at: Millis | None = None
    """When the provider removes it by itself; None where it names no day."""

    usd_per_hour: Decimal | None = None
    """What it costs for as long as it is there; None where that is not known."""

    detail: str | None = None
    """The provider's own word for the state."""

    tier: str | None = None
    """The provider's name for the class of service, where it says."""


@runtime_checkable
class Deploying(Protocol):
    """A provider whose tuned models answer only while they are deployed, which costs by the hour.

    Nothing but `deploy` deploys: to look, to ask and to probe never do.
    """

    async def deploy(self, artifact: str, *, tier: str | None = None) -> Deployment:
        """Have the model served; one that is deployed already stays as it is.

        `tier` is the provider's name for a class of service; None for its usual one.
        """
        ...

    async def undeploy(self, artifact: str) -> None:
        """Stop serving it, and paying for that; what is not deployed is fine."""
        ...

    async def deployment(self, artifact: str) -> Deployment | None:
        """What serves the model now; None where nothing does."""
        ...


@runtime_checkable
class Sweeping(Protocol):
    """A provider that can list what carries a submission key, for it can hold two of one."""

    async def submitted(self, since: Millis) -> Sequence[Submitted]:
        """All that was created since then with any submission key, whatever its state."""
        ...


class FoundJob(msgspec.Struct, frozen=True, kw_only=True):
    """A training at the provider, whoever began it; files by the provider's ids."""

    remote: Remote
    state: RemoteState
    base_model: str
    method: Method
    """As it was used, in our words; a type that is not known keeps the provider's."""

    name: str | None = None
    seed: int = 0
    training_file: str | None = None
    validation_file: str | None = None
    key: str | None = None
    """The submission key that it carries."""

    artifact: str | None = None
    """The handle of what it left, where that is still there."""

    created_at: Millis
    finished_at: Millis | None = None


class FoundFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of examples at the provider; `name` is the file's own."""

    id: str
    name: str
    created_at: Millis | None = None


class FoundModel(msgspec.Struct, frozen=True, kw_only=True):
    """A tuned model at the provider, by the handle that its artefact would have."""

    artifact: str
    name: str
    base_model: str
    created_at: Millis | None = None


class Inventory(msgspec.Struct, frozen=True, kw_only=True):
    """What is at the provider, each list oldest first."""

    jobs: Sequence[FoundJob] = ()
    files: Sequence[FoundFile] = ()
    models: Sequence[FoundModel] = ()


@runtime_checkable
class Importing(Protocol):
    """A provider that can tell what is there already, so that it need not be made again."""

    async def inventory(self, since: Millis) -> Inventory:
        """All that was created since then, by anybody; nothing is changed by looking."""
        ...

    def file_content(self, file_id: str) -> AsyncIterator[bytes]:
        """The rows of a file, in a form that can be taken in as a dataset."""
        ...


class ListedModel(msgspec.Struct, frozen=True, kw_only=True):
    """A base model as the vendor's own list has it; None where the list does not say."""

    name: str
    is_tunable: bool | None = None
    training_ends_at: date | None = None
    serving_ends_at: date | None = None


@runtime_checkable
class Listing(Protocol):
    """A provider that can ask its vendor which models there are; `Operation.REFRESH` says so."""

    async def list_models(self) -> Sequence[ListedModel]:
        """Every base model that the credentials reach; nothing is changed by looking."""
        ...

    def newcomer(self, name: str) -> BaseModel:
        """What holds of a tunable model that the catalogue does not know; nobody is asked."""
        ...


@runtime_checkable
class Listening(Protocol):
    """A provider whose vendor sends a signed message when a job has news."""

    def webhook(self, headers: Mapping[str, str], body: bytes) -> str | None:
        """The provider's id of the job that a message is about; None where it is about no job.

        Header names are lower case. Raises `Unauthorized` for what the vendor did not sign just
        now, and `ProviderNotConfigured` where no secret is known to check it with.
        """
        ...


class Weights(StrEnum):
    """In which form tuned weights are taken along."""

    ADAPTER = "adapter"
    """What was trained, to be laid over the base model."""

    MERGED = "merged"
    """A whole model, for which nothing else is needed."""


class ExportedFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a tuned model; `chunks` gives exactly `size` bytes."""

    name: str
    size: int
    chunks: Callable[[], AsyncIterator[bytes]]


@runtime_checkable
class Exporting(Protocol):
    """A provider that has the tuned weights where they can be taken along."""

    async def export(self, artifact: str, weights: Weights) -> Sequence[ExportedFile]:
        """The weights as safetensors, the configuration, the tokenizer and its chat template.

        Raises `ExportImpossible` where there are none in that form, `ModelUnavailable` while they
        are being brought into it.
        """
        ...


class Provider(Protocol):
    """One connection to one place where models are tuned."""

    @property
    def spec(self) -> ProviderSpec: ...

    @property
    def missing(self) -> Sequence[str]:
        """Options that must be set before anything can be sent; none when it is configured."""
        ...

    # Offline: these never leave the machine, and work without credentials.

    @property
    def creation(self) -> Creation:
        """Whether new jobs can be created there."""
        ...

    def base_models(self) -> Sequence[BaseModel]:
        """The base models that are known without asking anybody."""
        ...

    def base_model(self, name: str) -> BaseModel:
        """The base model of that name; raises `BaseModelUnknown` with what to do."""
        ...

    def check(self, recipe: Recipe) -> Sequence[Fault]:
        """All that can be known to be wrong with a recipe; empty when it may be submitted."""
        ...

    def epochs(self, recipe: Recipe) -> Epochs:
        """How often each example will be seen."""
        ...

    def compiler(self, recipe: Recipe) -> Compiler:
        """What turns the dataset's examples into what this base model and method take."""
        ...

    # Training.

    async def free_slots(self) -> int | None:
        """How many more attempts may start now; None where the provider does not say."""
        ...

    async def find(self, key: str) -> Remote | None:
        """The attempt that carries this submission key, however it came to be, or None.

        Trustworthy once `settle_seconds` have passed since the last create.
        """
        ...

    async def submit(self, plan: TrainingPlan) -> Remote:
        """Start the attempt; afterwards `find(plan.key)` gives it.

        `Later` and `Never` promise that nothing was created.
        """
        ...

    async def observe(self, remote: Remote, cursor: str | None) -> Observation:
        """Look, and do what keeps the attempt going; repeating it is harmless."""
        ...

    async def cancel(self, remote: Remote) -> None:
        """Ask for the end; repeated until `observe` confirms it, so it may escalate.

        This and the two below raise `Never` where the attempt is in no state for it.
        """
        ...

    async def pause(self, remote: Remote) -> None:
        """Ask for a pause; repeated until `observe` confirms it."""
        ...

    async def resume(self, remote: Remote) -> None:
        """Ask to go on; repeated until `observe` confirms it."""
        ...

    async def logs(self, remote: Remote, offset: int) -> tuple[bytes, int]:
        """The attempt's own log from a byte offset, and the offset to go on from."""
        ...

    # The tuned model.

    async def probe(self, artifact: Artifact) -> None:
        """Return once the artefact has loaded and answered; `Never` when it does not."""
        ...

    async def chat(self, model: Servable, request: dict[str, Any]) -> dict[str, Any]:
        """An answer in OpenAI's shape to a request in OpenAI's shape.

        Raises `Invalid` for a request that the model cannot take, `ModelUnavailable` for later.
        """
        ...

    def chat_stream(
        self, model: Servable, request: dict[str, Any]
    ) -> AsyncIterator[dict[str, Any]]:
        """The same answer as OpenAI's chunks."""
        ...

    async def delete(self, artifact: str) -> None:
        """Remove the tuned model; removing what is gone already is fine."""
        ...

    async def close(self) -> None:
        """Let go of connections and helpers; running attempts go on."""
        ...
