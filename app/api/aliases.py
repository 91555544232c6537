"""Aliases over HTTP: names for models, moved under a gate."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Response
from pydantic import Field

from app.api.dependencies import Use
from app.api.evaluation_wishes import GateIn
from app.api.evaluations import GateOut, VerdictOut
from app.api.idempotency import KeyHeader, replay_headers, with_fingerprint
from app.api.problems import responses
from app.api.shapes import (
    AliasName,
    Cursor,
    In,
    Limit,
    Moment,
    Out,
    Page,
    answer,
    answer_page,
    before,
)
from app.domain.aliases import Alias, DecisionKind
from app.services.aliases import WantedAlias
from app.services.bundle import Services

router = APIRouter(prefix="/aliases", tags=["aliases"])

NewName = Annotated[
    AliasName,
    Path(
        description="Letters, digits and `._-@`; it begins with a letter or digit.",
        examples=["support@prod"],
    ),
]


class AliasIn(In):
    """Which model the alias is to mean."""

    model: str = Field(
        min_length=1,
        max_length=500,
        description="A tuned model's id, `provider/base_model`, or another alias, which is read "
        "once.",
        examples=["model_01jd..."],
    )
    evaluation: str | None = Field(
        default=None,
        description="The evaluation that passes the gate: its first candidate is the model that "
        "the alias points to now, its gate at least as strict as the alias's.",
        examples=["eval_01jd..."],
    )
    gate: GateIn | None = Field(
        default=None,
        description="What later moves have to pass. Left out it stays, null takes it away.",
    )


class AliasOut(Out):
    """A name and the model that it means now."""

    id: str
    name: str
    model: str = Field(description="A tuned model's id or `provider/base_model`.")
    gate: GateOut | None
    created_at: Moment
    moved_at: Moment


class DecisionOut(Out):
    """One decision on an alias."""

    kind: DecisionKind
    by: str = Field(description="`api`, or the job that asked to be promoted.")
    from_model: str | None
    to_model: str | None
    reason: str | None
    evaluation: str | None = Field(validation_alias="evaluation_id")
    verdict: VerdictOut | None = Field(description="The numbers that decided.")
    at: Moment


class AliasWithHistoryOut(AliasOut):
    """An alias and the latest hundred decisions on its name."""

    history: list[DecisionOut] = Field(description="Newest first.")


@router.put(
    "/{name}",
    operation_id="put_alias",
    summary="Point an alias to a model",
    response_model=AliasOut,
    responses=responses(404, 409, 422) | {201: {"model": AliasOut, "description": "It is new."}},
)
async def put_alias(use: Use, name: NewName, body: AliasIn) -> Response:
    """Make an alias, or move it at once for every caller.

    A new alias points anywhere. One with a gate moves only with an evaluation that passes it, and
    otherwise stays: `gate_not_met`.
    """
    wanted = WantedAlias(
        model=body.model,
        evaluation=body.evaluation,
        gate=body.gate.wanted if body.gate else None,
        keeps_gate="gate" not in body.model_fields_set,
    )
    stored = await use.aliases.put(name, wanted)
    return answer(
        AliasOut.model_validate(_shown(stored.thing)), status=200 if stored.existed else 201
    )


@router.get(
    "",
    operation_id="list_aliases",
    summary="List aliases",
    response_model=Page[AliasOut],
    responses=responses(422),
)
async def list_aliases(use: Use, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Aliases, newest first."""
    found = await use.aliases.list_page(before=before(cursor), limit=limit + 1)
    shown = [_shown(alias) for alias in found]
    return answer_page(Page[AliasOut], shown, limit, lambda alias: alias["id"])


@router.get(
    "/{name}",
    operation_id="get_alias",
    summary="Get an alias with its history",
    response_model=AliasWithHistoryOut,
    responses=responses(404),
)
async def get_alias(use: Use, name: str) -> Response:
    """The model that it means now, and who moved it when and why."""
    return answer(await _told(use, await use.aliases.get(name)))


@router.post(
    "/{name}/rollback",
    operation_id="roll_back_alias",
    summary="Point an alias back",
    response_model=AliasWithHistoryOut,
    responses=responses(404, 409, 422),
)
async def roll_back_alias(use: Use, name: str, key: KeyHeader = None) -> Response:
    """Undo the latest move that still holds, whatever the gate says; again for the one before."""
    promised = None if key is None else with_fingerprint("roll_back_alias", key, name.encode())
    back = await use.aliases.roll_back(name, promised)
    return answer(await _told(use, back.thing), headers=replay_headers(back.is_replay))


@router.delete(
    "/{name}",
    operation_id="delete_alias",
    summary="Delete an alias",
    status_code=204,
    response_class=Response,
    responses=responses(404),
)
async def delete_alias(use: Use, name: str) -> Response:
    """Forget the name; its models stay, and so does its history."""
    await use.aliases.remove(name)
    return Response(status_code=204)


async def _told(use: Services, alias: Alias) -> AliasWithHistoryOut:
    history = await use.aliases.history(alias.name)
    return AliasWithHistoryOut.model_validate(_shown(alias) | {"history": history})


def _shown(alias: Alias) -> dict[str, Any]:
    return msgspec.structs.asdict(alias) | {"model": alias.target.name}
