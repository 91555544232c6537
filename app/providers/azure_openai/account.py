"""One resource of Azure OpenAI over OpenAI's SDK; importing this loads it."""

from collections.abc import Mapping
from types import NoneType
from typing import Any

from openai import AsyncAzureOpenAI, AsyncOpenAI, NotFoundError

from app.domain.errors import ModelNotFound
from app.domain.jobs import Method
from app.providers.azure_openai import AzureOpenAIOptions
from app.providers.azure_openai.base_models import base_of_tuned
from app.providers.azure_openai.deployments import name_of
from app.providers.azure_openai.entra import Entra
from app.providers.azure_openai.tags import SuffixTag
from app.providers.openai_wire.account import WireAccount
from app.providers.openai_wire.hyperparameters import hyperparameters_body
from app.providers.openai_wire.jobs import MetadataTag, with_method
from app.providers.openai_wire.posting import PATH
from app.providers.openai_wire.refusals import asking
from app.providers.openai_wire.removal import makers_of, remove_files

VENDOR = "Azure OpenAI"

_DATED_PATH = f"deployments/{{model}}/{PATH}"


class AzureAccount(WireAccount):
    """What can be done with one endpoint: jobs, files, questions to what is deployed."""

    def __init__(self, options: AzureOpenAIOptions, entra: Entra, *, folder: str) -> None:
        self._is_dated = options.api_version is not None
        super().__init__(
            _dated(options, entra) if self._is_dated else _v1(options, entra),
            vendor=VENDOR,
            folder=folder,
            poll_seconds=options.poll_seconds,
            chat_timeout=options.chat_timeout_seconds,
            tag=SuffixTag() if self._is_dated else MetadataTag(has_filter=False),
            recipe=_with_numbers if self._is_dated else with_method,
            extra_body=None if self._is_dated else {"trainingType": options.training_type},
            base_of=base_of_tuned,
            path=_DATED_PATH if self._is_dated else PATH,
            token=None if options.key else entra.tokens(_scope(options)),
        )

    async def probe(self, artifact: str) -> None:
        """Ask what is deployed for one token; what is not must at least be known as a model."""
        try:
            await super().probe(name_of(artifact))
        except ModelNotFound:
            with asking(VENDOR):
                await self._client.models.retrieve(artifact)

    async def remove(self, artifact: str) -> None:
        """Delete the files that made a tuned model and, where the API can, its job."""
        with asking(VENDOR):
            every = await self.jobs.listed({})
            await remove_files(artifact, every, self.jobs, self.files)
            for job in makers_of(artifact, every) if self._is_dated else ():
                if self.jobs.is_ours(job):
                    await self._delete_job(job["id"])

    async def _delete_job(self, job_id: str) -> None:
        try:
            await self._client.delete(f"/fine_tuning/jobs/{job_id}", cast_to=NoneType)
        except NotFoundError:
            return


def _v1(options: AzureOpenAIOptions, entra: Entra) -> AsyncOpenAI:
    """Not the SDK's Azure client, which would ask other paths than the v1 API has."""
    endpoint = _endpoint(options)
    key = options.key
    return AsyncOpenAI(
        base_url=f"{endpoint}/openai/v1/",
        api_key=key or entra.tokens(_scope(options)),
        default_headers={"api-key": key} if key else None,
        timeout=options.timeout_seconds,
        # Repeating is the reconciler's matter; the SDK would repeat a create.
        max_retries=0,
    )


def _dated(options: AzureOpenAIOptions, entra: Entra) -> AsyncOpenAI:
    endpoint = _endpoint(options)
    key = options.key
    return AsyncAzureOpenAI(
        azure_endpoint=endpoint,
        api_version=options.api_version,
        api_key=key,
        azure_ad_token_provider=None if key else entra.tokens(_scope(options)),
        timeout=options.timeout_seconds,
        max_retries=0,
    )


def _with_numbers(method: Method) -> Mapping[str, Any]:
    """The dated API takes numbers only; what it is to choose by itself is left out."""
    asked = hyperparameters_body(method)
    numbers = {name: value for name, value in asked.items() if value != "auto"}
    return {"hyperparameters": numbers} if numbers else {}


def _endpoint(options: AzureOpenAIOptions) -> str:
    assert options.endpoint is not None
    return options.endpoint.rstrip("/")


def _scope(options: AzureOpenAIOptions) -> str:
    """What a token must be good for: a Foundry project, or a resource of its own."""
    return f"https://{'ai' if options.is_project else 'cognitiveservices'}.azure.com/.default"
