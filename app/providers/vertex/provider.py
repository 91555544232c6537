"""The Vertex AI provider's verbs: staging, tuning jobs, answers and removal, one file each."""

from collections.abc import AsyncIterator, Sequence
from importlib.resources import files
from typing import Any

from app.domain.catalogue import Creation, Limits, bounds_broken, read_catalogue
from app.domain.compiling import Compiler
from app.domain.errors import Fault
from app.domain.jobs import Millis, Remote
from app.domain.provider import (
    Artifact,
    BaseModel,
    Connection,
    Epochs,
    ExampleSource,
    Inventory,
    Observation,
    ProviderSpec,
    Recipe,
    Servable,
    Submitted,
    TrainingPlan,
)
from app.providers import readiness
from app.providers.unoffered import Unoffered
from app.providers.vertex import VertexOptions
from app.providers.vertex.account import Account
from app.providers.vertex.compiling import VertexCompiler
from app.providers.vertex.inventory import Stock
from app.providers.vertex.plans import tuning_job
from app.providers.vertex.removal import Removal
from app.providers.vertex.serving import Serving
from app.providers.vertex.staging import Bucket
from app.providers.vertex.training import Training
from app.providers.vertex.translate import Cursor, observation

AUTO_EPOCHS = Epochs(1, 20)
"""Google chooses by the dataset and publishes no rule: a guess, and a wide one."""


class VertexProvider(Unoffered):
    """One project and location at Google."""

    def __init__(self, spec: ProviderSpec, connection: Connection) -> None:
        options = connection.options
        assert isinstance(options, VertexOptions)
        self._spec = spec
        self._name = connection.name
        self._options = options
        packaged = files("app.providers.vertex").joinpath("catalogue.toml").read_bytes()
        self._catalogue = read_catalogue(packaged, connection.correction)
        self._account = Account(options)
        self._training = Training(self._account)
        self._serving = Serving(self._account)
        self._removal = Removal(self._account)
        self._stock = Stock(self._account, self._training)

    @property
    def spec(self) -> ProviderSpec:
        return self._spec

    @property
    def missing(self) -> Sequence[str]:
        """Settings without which there is nowhere to train; credentials may come from Google's."""
        wanted = ("project", "staging_bucket")
        return readiness.unset(self._name, {one: getattr(self._options, one) for one in wanted})

    @property
    def creation(self) -> Creation:
        """What the catalogue knows of it."""
        return self._catalogue.creation

    def base_models(self) -> Sequence[BaseModel]:
        """The catalogue's."""
        return self._catalogue.models

    def base_model(self, name: str) -> BaseModel:
        """The catalogue's model of that name; a new one is added by a correction."""
        return self._catalogue.known(name, place="Vertex AI")

    def check(self, recipe: Recipe) -> Sequence[Fault]:
        """Bounds of the hyperparameters."""
        method = recipe.method
        return bounds_broken(recipe.base_model, method.type, method.hyperparameters)

    def epochs(self, recipe: Recipe) -> Epochs:
        """As asked for; left to Google, whatever it chooses by the dataset."""
        asked = recipe.method.hyperparameters.get("epochs", "auto")
        return AUTO_EPOCHS if asked == "auto" else Epochs(asked, asked)

    def compiler(self, recipe: Recipe) -> Compiler:
        """Google's form of chats or of preferences."""
        return VertexCompiler(limits=recipe.base_model.limits or Limits())

    async def free_slots(self) -> int | None:
        """Google does not say: jobs over the project's quota wait there."""
        return None

    async def find(self, key: str) -> Remote | None:
        """The job whose label is the key."""
        return await self._training.find(key)

    async def submitted(self, since: Millis) -> Sequence[Submitted]:
        """All jobs that carry a key as their label."""
        return await self._training.submitted(since)

    async def submit(self, plan: TrainingPlan) -> Remote:
        """Put the files into the bucket, then create the job."""
        readiness.require_configured(self._spec, self.missing)
        readiness.require_packages(self._spec)
        training = await self._stage(plan, plan.training)
        validation = await self._stage(plan, plan.validation) if plan.validation else None
        return await self._training.create(tuning_job(plan, training, validation))

    async def observe(self, remote: Remote, cursor: str | None) -> Observation:
        """Look at the job; Google has no events, so what changed is told."""
        job = await self._training.look(remote.id)
        return observation(job, Cursor.parse(cursor))

    async def cancel(self, remote: Remote) -> None:
        """Ask Google for the end."""
        await self._training.cancel(remote.id)

    async def probe(self, artifact: Artifact) -> None:
        """Ask the endpoint that Google deployed for one token."""
        await self._serving.probe(artifact)

    async def chat(self, model: Servable, request: dict[str, Any]) -> dict[str, Any]:
        """One answer of a tuned or a base model."""
        return await self._serving.chat(model, request)

    def chat_stream(
        self, model: Servable, request: dict[str, Any]
    ) -> AsyncIterator[dict[str, Any]]:
        """The same in chunks."""
        return self._serving.chat_stream(model, request)

    async def delete(self, artifact: str) -> None:
        """Undeploy the model and remove it, with the endpoints that were its own."""
        await self._removal.remove(artifact)

    async def inventory(self, since: Millis) -> Inventory:
        """All tuning jobs of the location, with the files that they read and what they left."""
        return await self._stock.inventory(since)

    async def file_content(self, file_id: str) -> AsyncIterator[bytes]:
        """A training file by its `gs://` address, its rows turned back into examples."""
        async for piece in self._stock.content(file_id):
            yield piece

    async def close(self) -> None:
        """Let go of connections and threads; trainings go on."""
        await self._account.close()

    async def _stage(self, plan: TrainingPlan, source: ExampleSource) -> str:
        compiler = VertexCompiler(limits=Limits())
        bucket = Bucket(self._account, self._options.staging_bucket or "")
        return await bucket.put(source, self._spec.methods[plan.method.type], compiler)
