"""One account at OpenAI over its SDK; importing this loads it."""

from openai import AsyncOpenAI

from app.providers.openai import OpenAIOptions
from app.providers.openai_wire.account import WireAccount

_PAGE = "https://platform.openai.com/finetune/{id}"


def open_account(options: OpenAIOptions, *, folder: str) -> WireAccount:
    """The account that the key belongs to."""
    client = AsyncOpenAI(
        api_key=options.secret("api_key"),
        base_url=options.base_url,
        organization=options.organization,
        project=options.project,
        timeout=options.timeout_seconds,
        # Repeating is the reconciler's matter; the SDK would repeat a create.
        max_retries=0,
    )
    return WireAccount(
        client,
        vendor="OpenAI",
        folder=folder,
        poll_seconds=options.poll_seconds,
        chat_timeout=options.chat_timeout_seconds,
        page=None if options.base_url else _PAGE,
    )
