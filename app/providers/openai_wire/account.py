"""One account at a vendor that speaks OpenAI's wire; importing this loads the SDK."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from openai import AsyncOpenAI

from app.domain.jobs import Method
from app.providers.openai_wire.chat import Chat
from app.providers.openai_wire.files import Files
from app.providers.openai_wire.inventory import Stock
from app.providers.openai_wire.jobs import Jobs, MetadataTag, Tag, with_method
from app.providers.openai_wire.naming import base_of_tuned
from app.providers.openai_wire.posting import PATH, Post
from app.providers.openai_wire.removal import remove
from app.providers.openai_wire.submission import Submission


class WireAccount:
    """What can be done with one key: jobs, files, models.

    The client has a timeout and repeats nothing by itself. `recipe` gives the fields of a create
    that say how to train, `extra_body` is added to it, `page` is where a person finds a job, by
    `{id}`, `base_of` tells the base of a tuned model by its name, `path` and `token` are those of
    `Post`; compiled files lie in `folder` until they are sent.
    """

    def __init__(
        self,
        client: AsyncOpenAI,
        *,
        vendor: str,
        folder: str,
        poll_seconds: float,
        chat_timeout: float,
        tag: Tag | None = None,
        recipe: Callable[[Method], Mapping[str, Any]] = with_method,
        extra_body: Mapping[str, Any] | None = None,
        has_checkpoints: bool = True,
        page: str | None = None,
        base_of: Callable[[str], str | None] = base_of_tuned,
        path: str = PATH,
        token: Callable[[], Awaitable[str]] | None = None,
    ) -> None:
        self._client = client
        self._vendor = vendor
        self.files = Files(client)
        self.jobs = Jobs(
            client,
            self.files,
            vendor=vendor,
            tag=tag or MetadataTag(),
            poll_seconds=poll_seconds,
            recipe=recipe,
            extra_body=extra_body,
            has_checkpoints=has_checkpoints,
            page=page,
        )
        self.submission = Submission(self.jobs, self.files, vendor=vendor, folder=folder)
        self.stock = Stock(client, self.jobs, vendor=vendor, base_of=base_of)
        self._post = Post(client, path=path, token=token, timeout=chat_timeout)
        self.chat = Chat(self._post, vendor=vendor)

    async def probe(self, artifact: str) -> None:
        """Return once the tuned model has answered; `Never` where it refuses to for good."""
        await self.chat.probe(artifact)

    async def remove(self, artifact: str) -> None:
        """Delete a tuned model, its checkpoints and its files."""
        await remove(artifact, self._client, self.jobs, self.files, vendor=self._vendor)

    async def close(self) -> None:
        """Let go of connections."""
        await self._post.close()
        await self._client.close()
