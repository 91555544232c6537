"""Dataset templates over HTTP: guidance, a rubric and a sample to begin with."""

from fastapi import APIRouter, Response
from pydantic import Field

from app.api.problems import responses
from app.api.shapes import Out, answer
from app.domain.datasets import DatasetKind
from app.services import templates

router = APIRouter(prefix="/dataset-templates", tags=["dataset templates"])


class TemplateOut(Out):
    """A starting point in short."""

    name: str
    title: str
    summary: str
    kind: DatasetKind
    method: str = Field(examples=["sft"])
    examples: int = Field(description="Rows of the sample.")


class CriterionOut(Out):
    """One thing to judge an example by."""

    criterion: str
    question: str
    good: str
    poor: str


class TemplateDetailOut(TemplateOut):
    """A starting point with what to collect and how to judge it."""

    guide: str = Field(description="Markdown.")
    rubric: list[CriterionOut]


class TemplatesOut(Out):
    """All starting points."""

    data: list[TemplateOut]


@router.get(
    "",
    operation_id="list_dataset_templates",
    summary="List dataset templates",
    response_model=TemplatesOut,
    responses=responses(),
)
async def list_dataset_templates() -> Response:
    """Ready starting points for the common tasks."""
    return answer(TemplatesOut.model_validate({"data": templates.list_templates()}))


@router.get(
    "/{name}",
    operation_id="get_dataset_template",
    summary="Get a dataset template",
    response_model=TemplateDetailOut,
    responses=responses(404),
)
async def get_dataset_template(name: str) -> Response:
    """What to collect for the task, and a rubric to judge each example by."""
    return answer(TemplateDetailOut.model_validate(templates.get_template(name)))


@router.get(
    "/{name}/sample",
    operation_id="get_dataset_template_sample",
    summary="Download a template's sample",
    response_class=Response,
    responses=responses(404)
    | {200: {"content": {"application/jsonl": {"schema": {"type": "string", "format": "binary"}}}}},
)
async def get_dataset_template_sample(name: str) -> Response:
    """Examples that can be uploaded as they are."""
    return Response(
        templates.sample(name),
        media_type="application/jsonl",
        headers={"Content-Disposition": f'attachment; filename="{name}.jsonl"'},
    )
