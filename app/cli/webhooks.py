"""`luthier webhooks`: who is told of what, and what became of each message."""

from typing import Annotated, Any

import typer

from app.cli.console import print_fields, print_rows, remark, say, show_more
from app.cli.names import minute
from app.cli.remote import Cursor, Limit, Remote, given, over_http, part

webhooks = typer.Typer(name="webhooks", help="Webhooks: who is told of what.")

WebhookId = Annotated[str, typer.Argument(metavar="ID", help="The webhook's id.")]


@webhooks.command()
@over_http
def create(
    remote: Remote,
    receiver: Annotated[str, typer.Argument(help="The URL for messages: public, and https.")],
    *,
    events: Annotated[
        list[str], typer.Option("--event", help="A type, or a family as job.*; repeatable.")
    ],
    description: Annotated[str | None, typer.Option(help="For people.")] = None,
    format: Annotated[str, typer.Option(help="standard or openai.")] = "standard",
) -> None:
    """Be told of events; prints the secret, which is not shown again."""
    wanted = {"url": receiver, "events": events, "description": description, "format": format}
    remote.show(remote.create("/webhooks", given(wanted)), _show_secret)


@webhooks.command("list")
@over_http
def list_webhooks(remote: Remote, *, limit: Limit = 50, cursor: Cursor = None) -> None:
    """Webhooks, newest first."""
    remote.show(remote.get("/webhooks", limit=limit, cursor=cursor), _show_list)


@webhooks.command()
@over_http
def test(remote: Remote, id: WebhookId) -> None:
    """Send `webhook.test`; `deliveries` says how it went."""
    sent = remote.post(f"/webhooks/{part(id)}/test")
    remote.show(sent, lambda delivery: say(delivery["id"]))


@webhooks.command()
@over_http
def deliveries(
    remote: Remote,
    id: WebhookId,
    *,
    state: Annotated[str | None, typer.Option(help="pending, delivered or dead.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> None:
    """What was sent and what came of it, newest first."""
    path = f"/webhooks/{part(id)}/deliveries"
    remote.show(remote.get(path, state=state, limit=limit, cursor=cursor), _show_deliveries)


@webhooks.command()
@over_http
def resend(
    remote: Remote,
    id: WebhookId,
    delivery: Annotated[str, typer.Argument(help="The delivery's id.")],
) -> None:
    """Send the same message again, whatever became of it."""
    path = f"/webhooks/{part(id)}/deliveries/{part(delivery)}/resend"
    remote.show(remote.post(path), lambda sent: say(sent["state"]))


@webhooks.command()
@over_http
def rotate_secret(remote: Remote, id: WebhookId) -> None:
    """Give a webhook a new secret; for a day messages carry signatures of both."""
    remote.show(remote.create(f"/webhooks/{part(id)}/rotate-secret"), _show_secret)


@webhooks.command()
@over_http
def delete(remote: Remote, id: WebhookId) -> None:
    """Forget a webhook and its deliveries."""
    remote.delete(f"/webhooks/{part(id)}")


def _show_secret(webhook: dict[str, Any]) -> None:
    print_fields({"id": webhook["id"], "secret": webhook["secret"]})
    remark("Keep the secret: it is not shown again.")


def _show_list(page: dict[str, Any]) -> None:
    print_rows(
        ("id", "enabled", "events", "url", "why not"),
        (
            (
                webhook["id"],
                webhook["enabled"],
                ", ".join(webhook["events"]),
                webhook["url"],
                webhook["disabled_reason"],
            )
            for webhook in page["data"]
        ),
    )
    show_more(page)


def _show_deliveries(page: dict[str, Any]) -> None:
    print_rows(
        ("id", "type", "subject", "state", "attempts", "created", "answer"),
        (
            (
                delivery["id"],
                delivery["type"],
                delivery["subject"],
                delivery["state"],
                delivery["attempts"],
                minute(delivery["created_at"]),
                _answer(delivery["outcome"] or {}),
            )
            for delivery in page["data"]
        ),
    )
    show_more(page)


def _answer(outcome: dict[str, Any]) -> str:
    said = (outcome.get("status"), outcome.get("problem") or outcome.get("answer"))
    return " ".join(str(part) for part in said if part)
