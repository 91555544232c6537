"""`luthier keys`: who may use the service, as what, and for how much."""

from typing import Annotated, Any

import typer

from app.cli.console import print_fields, print_rows, remark, show_more
from app.cli.names import minute
from app.cli.remote import Cursor, Limit, Remote, given, over_http, part

keys = typer.Typer(name="keys", help="Keys: give out, list, rotate, revoke.")

KeyId = Annotated[str, typer.Argument(metavar="ID", help="The key's id.")]


@keys.command()
@over_http
def create(
    remote: Remote,
    name: Annotated[str, typer.Argument(help="What it is for, for people.")],
    *,
    role: Annotated[str, typer.Option(help="viewer, developer, operator or admin.")],
    project: Annotated[str | None, typer.Option(help="By default that of your own key.")] = None,
    expires_at: Annotated[
        str | None, typer.Option(metavar="MOMENT", help="Good until then: 2027-01-01.")
    ] = None,
    spend_limit_usd: Annotated[str | None, typer.Option(help="What it may spend.")] = None,
    rate_limit_per_minute: Annotated[
        int | None, typer.Option(min=1, help="Requests that it may send in a minute.")
    ] = None,
) -> None:
    """Give out a key; prints its secret, which is not shown again."""
    wanted = {
        "name": name,
        "role": role,
        "project": project,
        "expires_at": expires_at,
        "spend_limit_usd": spend_limit_usd,
        "rate_limit_per_minute": rate_limit_per_minute,
    }
    remote.show(remote.create("/keys", given(wanted)), _show_secret)


@keys.command("list")
@over_http
def list_keys(remote: Remote, *, limit: Limit = 50, cursor: Cursor = None) -> None:
    """Keys without their secrets, newest first, with those that were revoked."""
    remote.show(remote.get("/keys", limit=limit, cursor=cursor), _show_list)


@keys.command()
@over_http
def rotate(
    remote: Remote,
    id: KeyId,
    *,
    grace_seconds: Annotated[
        int, typer.Option(min=0, help="The old secret is good for so long.")
    ] = 86_400,
) -> None:
    """Give a key another secret; prints it, and it is not shown again."""
    rotated = remote.post(f"/keys/{part(id)}/rotate", {"grace_seconds": grace_seconds})
    remote.show(rotated, _show_secret)


@keys.command()
@over_http
def revoke(remote: Remote, id: KeyId) -> None:
    """Have a key open nothing any more."""
    remote.delete(f"/keys/{part(id)}")


def _show_secret(key: dict[str, Any]) -> None:
    print_fields({"id": key["id"], "secret": key["secret"]})
    if key["secret"] is None:
        # The first answer was lost, and its repetition does not tell the secret.
        remark(f"The secret was lost on the way: luthier keys rotate {key['id']}")
        return
    remark(
        f"{key['role']} of the project {key['project']}. Keep the secret: it is not shown again."
    )


def _show_list(page: dict[str, Any]) -> None:
    print_rows(
        ("id", "role", "project", "begins with", "last used", "good until", "USD", "name"),
        (
            (
                key["id"],
                key["role"],
                key["project"],
                f"lth_{key['prefix']}",
                key["last_used_at"] and minute(key["last_used_at"]),
                _good_until(key),
                key["spend_limit_usd"],
                key["name"],
            )
            for key in page["data"]
        ),
    )
    show_more(page)


def _good_until(key: dict[str, Any]) -> str | None:
    if key["revoked_at"]:
        return "revoked"
    return key["expires_at"] and minute(key["expires_at"])
