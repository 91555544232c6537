"""One account at such a host over OpenAI's SDK; importing this loads it."""

from typing import cast

from openai import AsyncOpenAI, Omit

from app.providers.openai_compatible import SPEC, OpenAICompatibleOptions
from app.providers.openai_wire.account import WireAccount
from app.providers.openai_wire.jobs import MetadataTag


def open_account(options: OpenAICompatibleOptions, *, folder: str) -> WireAccount:
    """The account that the key belongs to."""
    assert options.api_key is not None
    client = AsyncOpenAI(
        api_key=options.api_key.get_secret_value(),
        base_url=options.base_url,
        timeout=options.timeout_seconds,
        # Repeating is the reconciler's matter; the SDK would repeat a create.
        max_retries=0,
        # The SDK reads both from OpenAI's own variables; they are no stranger's business.
        default_headers=cast(
            "dict[str, str]", {"OpenAI-Organization": Omit(), "OpenAI-Project": Omit()}
        ),
    )
    return WireAccount(
        client,
        vendor=SPEC.title,
        folder=folder,
        poll_seconds=options.poll_seconds,
        chat_timeout=options.chat_timeout_seconds,
        tag=MetadataTag(has_filter=options.capabilities.metadata_filter),
        has_checkpoints=options.capabilities.checkpoints,
    )
