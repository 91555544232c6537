"""Imports over HTTP: what is at a provider already becomes ours."""

from datetime import datetime

from fastapi import APIRouter, Response
from pydantic import Field

from app.api.dependencies import Use
from app.api.idempotency import KeyHeader, replay_headers, with_fingerprint
from app.api.problems import responses
from app.api.shapes import In, Out, answer, millis
from app.domain.imports import Import, Kind
from app.services.imports import WantedImport

router = APIRouter(prefix="/providers", tags=["providers"])


class ImportIn(In):
    """What to take over; without a body everything is."""

    what: list[Kind] = Field(
        default=[Kind.JOBS, Kind.FILES, Kind.MODELS], min_length=1, max_length=3
    )
    since: datetime | None = Field(
        default=None, description="Only what was created from then on; RFC 3339."
    )
    limit: int = Field(
        default=200,
        ge=1,
        le=1000,
        description="How many things at the most; `left` tells the rest.",
    )


class AdoptedOut(Out):
    """One thing that is ours from now on."""

    id: str
    remote: str = Field(description="The provider's own id or name of it.")


class RefusedFaultOut(Out):
    """One thing that is wrong with a file."""

    code: str
    message: str
    line: int | None


class RefusedOut(Out):
    """One thing that could not be taken over."""

    what: Kind = Field(validation_alias="kind")
    remote: str
    name: str | None
    code: str
    message: str
    errors: list[RefusedFaultOut] = Field(
        validation_alias="faults", description="The first wrong rows of a file."
    )


class KnownOut(Out):
    """How much of what was found was here already."""

    jobs: int = 0
    files: int = 0
    models: int = 0


class ImportOut(Out):
    """What became of everything that was found."""

    jobs: list[AdoptedOut]
    files: list[AdoptedOut] = Field(description="Each became a dataset.")
    models: list[AdoptedOut] = Field(
        description="Those that no job brings along: the model of an imported job is there as soon "
        "as the job has been looked at."
    )
    known: KnownOut
    refused: list[RefusedOut]
    left: int = Field(description="What the limit left for the next request.")


@router.post(
    "/{name}/import",
    operation_id="import_from_provider",
    summary="Import what is at a provider",
    response_model=ImportOut,
    responses=responses(404, 409, 422),
)
async def import_from_provider(
    use: Use, name: str, body: ImportIn | None = None, key: KeyHeader = None
) -> Response:
    """Adopt jobs, training files (as datasets) and tuned models, each once.

    Running jobs are watched from then on like ours. Repeat it to go on where a limit stopped it.
    """
    asked = body or ImportIn()
    wanted = WantedImport(
        kinds=frozenset(asked.what),
        since=millis(asked.since) if asked.since else 0,
        limit=asked.limit,
    )
    content = f"{name}\n{asked.model_dump_json()}".encode()
    promised = None if key is None else with_fingerprint("import_from_provider", key, content)
    created = await use.imports.create(name, wanted, promised)
    return answer(_shown(created.thing), headers=replay_headers(created.is_replay))


def _shown(done: Import) -> ImportOut:
    return ImportOut.model_validate(
        {
            "jobs": done.jobs,
            "files": done.files,
            "models": done.models,
            "known": {kind.value: count for kind, count in done.known.items()},
            "refused": done.refused,
            "left": done.left,
        }
    )
