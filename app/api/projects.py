"""Projects over HTTP: what keys and all other objects belong to."""

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field, WithJsonSchema

from app.api.dependencies import Calling, Use
from app.api.idempotency import KeyHeader, key_for, replay_headers
from app.api.problems import responses
from app.api.shapes import In, Moment, Out, Page, Usd, answer, answer_page
from app.api.shapes import Limit as PageLimit

router = APIRouter(prefix="/projects", tags=["projects"])

_ID_PATTERN = r"^[a-z0-9][a-z0-9-]{0,62}$"

ProjectId = Annotated[
    str,
    Field(pattern=_ID_PATTERN, description="Small letters, digits and `-`.", examples=["care"]),
]
Limit = Annotated[
    Decimal | None,
    Field(ge=0, le=1_000_000_000, decimal_places=2, description="In all; null for no limit."),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "decimal", "examples": ["250.00"]},
                {"type": "null"},
            ]
        }
    ),
]
"""What may be spent, in US dollars as a decimal string."""

After = Annotated[str | None, Query(pattern=_ID_PATTERN, description="`next_cursor` of before.")]


class ProjectIn(In):
    """What the project is called, for ever."""

    id: ProjectId
    spend_limit_usd: Limit = None


class ProjectChangeIn(In):
    """What is to change."""

    spend_limit_usd: Limit


class ProjectOut(Out):
    """A project."""

    id: str
    spend_limit_usd: Usd | None
    created_at: Moment


class AccountOut(ProjectOut):
    """A project with its account."""

    committed_usd: Usd = Field(description="Spent, and promised by what is under way.")


@router.post(
    "",
    operation_id="create_project",
    summary="Begin a project",
    status_code=201,
    response_model=ProjectOut,
    responses=responses(409, 422),
)
async def create_project(use: Use, body: ProjectIn, key: KeyHeader = None) -> Response:
    """Its objects are seen by its own keys only. Admins of the default project may do this."""
    promised = key_for("create_project", key, body)
    created = await use.projects.create(body.id, body.spend_limit_usd, promised)
    headers = replay_headers(created.is_replay) | {"Location": f"/projects/{body.id}"}
    return answer(ProjectOut.model_validate(created.thing), status=201, headers=headers)


@router.get(
    "",
    operation_id="list_projects",
    summary="List projects",
    response_model=Page[ProjectOut],
    responses=responses(422),
)
async def list_projects(
    use: Use, calling: Calling, limit: PageLimit = 50, cursor: After = None
) -> Response:
    """By id; for admins of the default project all, for others their own."""
    found = await use.projects.list_page(calling, after=cursor, limit=limit + 1)
    return answer_page(Page[ProjectOut], found, limit, lambda project: project.id)


@router.get(
    "/{project_id}",
    operation_id="get_project",
    summary="Look at a project",
    response_model=AccountOut,
    responses=responses(404),
)
async def get_project(use: Use, calling: Calling, project_id: str) -> Response:
    """With what it has spent and promised to spend."""
    account = await use.projects.get(calling, project_id)
    project = ProjectOut.model_validate(account.project)
    return answer(
        AccountOut(
            id=project.id,
            spend_limit_usd=project.spend_limit_usd,
            created_at=project.created_at,
            committed_usd=account.committed_usd,
        )
    )


@router.patch(
    "/{project_id}",
    operation_id="change_project",
    summary="Limit what a project may spend",
    response_model=ProjectOut,
    responses=responses(404, 422),
)
async def change_project(use: Use, project_id: str, body: ProjectChangeIn) -> Response:
    """What is under way goes on; what would pass the limit is refused from now on."""
    project = await use.projects.limit(project_id, body.spend_limit_usd)
    return answer(ProjectOut.model_validate(project))
