"""One account at OpenAI over its SDK; importing this loads it."""

from openai import AsyncOpenAI

from app.providers.openai import OpenAIOptions
from app.providers.openai_wire.chat import Chat
from app.providers.openai_wire.files import Files
from app.providers.openai_wire.jobs import Jobs, MetadataTag
from app.providers.openai_wire.removal import remove
from app.providers.openai_wire.submission import Submission

VENDOR = "OpenAI"

_PAGE = "https://platform.openai.com/finetune/{id}"


class Account:
    """What can be done with one key: jobs, files, models."""

    def __init__(self, options: OpenAIOptions, *, folder: str) -> None:
        self._client = AsyncOpenAI(
            api_key=options.secret("api_key"),
            base_url=options.base_url,
            organization=options.organization,
            project=options.project,
            timeout=options.timeout_seconds,
            # Repeating is the reconciler's matter; the SDK would repeat a create.
            max_retries=0,
        )
        self._files = Files(self._client)
        self.jobs = Jobs(
            self._client,
            self._files,
            vendor=VENDOR,
            tag=MetadataTag(),
            poll_seconds=options.poll_seconds,
            page=None if options.base_url else _PAGE,
        )
        self.submission = Submission(self.jobs, self._files, vendor=VENDOR, folder=folder)
        self.chat = Chat(self._client, vendor=VENDOR, timeout=options.chat_timeout_seconds)

    async def remove(self, artifact: str) -> None:
        """Delete a tuned model, its checkpoints and its files."""
        await remove(artifact, self._client, self.jobs, self._files, vendor=VENDOR)

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.close()
