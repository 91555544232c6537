"""Questions on their way: what they carry, which way they go, and how they get lost."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from openai import AsyncAzureOpenAI, AsyncOpenAI

from app.domain.errors import Invalid, ModelUnavailable
from app.providers.openai_wire.chat import Chat
from app.providers.openai_wire.posting import Post

HELLO = b'{"choices": [{"message": {"content": "Hi"}}]}'


class Vendor:
    """Answers everything alike, and keeps what it was sent."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.heads: list[str] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, for one question."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        await reader.readexactly(int(_header(head, "content-length")))
        self.heads.append(head)
        writer.write(self.answer)
        writer.close()


class Silent(Vendor):
    """Never answers."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()


def _header(head: str, name: str) -> str:
    return head.lower().split(f"\r\n{name}: ")[1].split("\r\n")[0]


def answer(status: str, body: bytes, **headers: str) -> bytes:
    """The bytes of an HTTP answer."""
    told = {"content-length": str(len(body)), "connection": "close", **headers}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in told.items())]
    return "\r\n".join([*lines, "\r\n"]).encode() + body


@asynccontextmanager
async def listening(vendor: Vendor) -> AsyncGenerator[Vendor]:
    """The vendor on loopback."""
    server = await asyncio.start_server(vendor.serve, "127.0.0.1")
    vendor.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield vendor


@asynccontextmanager
async def asking(
    url: str,
    *,
    key: str | Callable[[], Awaitable[str]] = "sk-1",
    token: Callable[[], Awaitable[str]] | None = None,
    seconds: float = 10,
) -> AsyncGenerator[Chat]:
    """The models of an account there."""
    async with AsyncOpenAI(api_key=key, base_url=f"{url}/v1", organization="org-1") as client:
        post = Post(client, token=token, timeout=seconds)
        yield Chat(post, vendor="Acme")
        await post.close()


async def test_a_question_carries_the_account_and_nothing_of_this_machine() -> None:
    async with listening(Vendor(answer("200 OK", HELLO))) as vendor, asking(vendor.url) as chat:
        said = await chat.chat("m", {"messages": []})

    assert said["choices"][0]["message"] == {"content": "Hi"}
    head = vendor.heads[0]
    assert head.startswith("POST /v1/chat/completions HTTP/1.1")
    assert (_header(head, "authorization"), _header(head, "user-agent")) == (
        "bearer sk-1",
        "luthier",
    )
    assert _header(head, "openai-organization") == "org-1"
    assert "stainless" not in head.lower()


async def test_who_stands_in_the_address_is_told_as_the_sdk_would() -> None:
    async with listening(Vendor(answer("200 OK", HELLO))) as vendor:
        url = vendor.url.replace("//", "//me:secret@")
        async with asking(url) as chat:
            await chat.chat("m", {})

    assert _header(vendor.heads[0], "authorization").startswith("basic ")


async def test_a_token_is_asked_for_before_each_question() -> None:
    tokens = iter(["one", "two"])

    async def token() -> str:
        return next(tokens)

    async with (
        listening(Vendor(answer("200 OK", HELLO))) as vendor,
        asking(vendor.url, key=token, token=token) as chat,
    ):
        await chat.chat("m", {})
        await chat.chat("m", {})

    told = [_header(head, "authorization") for head in vendor.heads]
    assert told == ["bearer one", "bearer two"]


async def test_a_deployment_stands_in_the_address() -> None:
    async with listening(Vendor(answer("200 OK", HELLO))) as vendor:
        client = AsyncAzureOpenAI(azure_endpoint=vendor.url, api_version="1", api_key="k")
        post = Post(client, path="deployments/{model}/chat/completions", timeout=10)
        await Chat(post, vendor="Acme").chat("a/b", {})
        await post.close()
        await client.close()

    head = vendor.heads[0]
    assert head.startswith("POST /openai/deployments/a%2Fb/chat/completions?api-version=1 ")
    assert _header(head, "api-key") == "k"


async def test_a_question_goes_by_the_environment_s_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    vendor, proxy = Vendor(answer("200 OK", HELLO)), Vendor(answer("200 OK", HELLO))
    async with listening(vendor), listening(proxy):
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        for url in ("http://outside.example", vendor.url):
            async with asking(url) as chat:
                await chat.chat("m", {})

    assert [head.split()[1] for head in proxy.heads] == [
        "http://outside.example/v1/chat/completions"
    ]
    assert len(vendor.heads) == 1


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        ("401 No", b'{"error": {"message": "Incorrect key sk-1."}}', "credentials"),
        ("429 No", b'{"error": {"message": "Slowly."}}', "Slowly"),
        ("502 No", b"<html>", "<html>"),
        ("503 No", b"", "Error code: 503"),
        ("307 Elsewhere", b"", "Error code: 307"),
    ],
)
async def test_a_refusal_is_told_in_the_vendor_s_words(status: str, body: bytes, said: str) -> None:
    async with listening(Vendor(answer(status, body))) as vendor, asking(vendor.url) as chat:
        with pytest.raises(ModelUnavailable, match=said) as refused:
            await chat.chat("m", {})

    assert "sk-1" not in refused.value.detail


async def test_what_is_wrong_with_a_question_is_the_asker_s() -> None:
    body = b'{"error": {"message": "Too hot.", "param": "temperature", "code": "out_of_range"}}'
    async with listening(Vendor(answer("400 No", body))) as vendor, asking(vendor.url) as chat:
        with pytest.raises(Invalid, match="Too hot") as refused:
            await chat.chat("m", {})

    fault = refused.value.faults[0]
    assert (fault.code, fault.pointer) == ("out_of_range", "/temperature")


@pytest.mark.parametrize(
    "said",
    [
        b"",
        answer("200 OK", HELLO)[:-5],
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n",
    ],
)
async def test_a_connection_that_breaks_is_no_answer(said: bytes) -> None:
    async with listening(Vendor(said)) as vendor, asking(vendor.url) as chat:
        with pytest.raises(ModelUnavailable, match="connection broke"):
            await chat.chat("m", {})
        with pytest.raises(ModelUnavailable, match="connection broke"):
            _ = [chunk async for chunk in chat.chat_stream("m", {})]


async def test_who_is_not_there_cannot_be_reached_and_is_not_named() -> None:
    async with listening(Vendor(b"")) as vendor:
        url = vendor.url
    async with asking(url) as chat:
        with pytest.raises(ModelUnavailable, match="cannot be reached") as refused:
            await chat.chat("m", {})

    assert "127.0.0.1" not in refused.value.detail


async def test_nobody_is_waited_for_without_end() -> None:
    async with listening(Silent(b"")) as vendor, asking(vendor.url, seconds=0.05) as chat:
        with pytest.raises(ModelUnavailable, match="in time"):
            await chat.chat("m", {})
