"""Datasets out over HTTP: in the form that is kept, or in every other one that is read."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from app.api.dependencies import Use
from app.api.problems import responses
from app.api.shapes import Out, answer
from app.domain.datasets import Dataset
from app.domain.reading.rows import Container
from app.domain.writing.forms import FormName
from app.domain.writing.packing import Compression
from app.domain.writing.targets import Target, choose_target

router = APIRouter(prefix="/datasets", tags=["datasets"])

FormAsked = Annotated[
    FormName | None,
    Query(
        alias="format",
        description="The form of a row; by default `chat` or `preference`, which lose nothing.",
    ),
]
ContainerAsked = Annotated[Container, Query(description="How the file holds its rows.")]
CompressionAsked = Annotated[Compression, Query(description="How the file is packed.")]
LossesAsked = Annotated[
    Literal["refuse", "accept"],
    Query(description="Whether the file may be without what the form cannot carry."),
]

_MEDIA_TYPES = {
    Container.JSONL: "application/jsonl",
    Container.JSON: "application/json",
    Container.CSV: "text/csv",
    Container.TSV: "text/tab-separated-values",
    Container.PARQUET: "application/vnd.apache.parquet",
}
_PACKED_TYPES = {Compression.GZIP: "application/gzip", Compression.ZSTD: "application/zstd"}
_ENDINGS = {Compression.NONE: "", Compression.GZIP: ".gz", Compression.ZSTD: ".zst"}


class LossOut(Out):
    """Something of an example that the form has no place for."""

    line: int = Field(description="Of the dataset, from 1.")
    code: str = Field(examples=["weight_lost"])
    message: str


class ConversionOut(Out):
    """What a dataset would lose in a form."""

    format: FormName
    examples: int
    lossless: bool = Field(description="Whether an upload of the file gives the same examples.")
    loss_count: int
    losses: list[LossOut] = Field(description="The first hundred.")
    dropped: int = Field(description="Examples that have no place in the form at all.")


@router.get(
    "/{ref}/conversion",
    operation_id="get_dataset_conversion",
    summary="See what a form would lose",
    response_model=ConversionOut,
    responses=responses(404, 422),
)
async def get_dataset_conversion(
    use: Use, ref: str, form: FormAsked = None, container: ContainerAsked = Container.JSONL
) -> Response:
    """The losses that a download in this form would have, without the file."""
    dataset = await use.datasets.get(ref)
    survey = await use.conversions.survey(dataset, choose_target(dataset.kind, form, container))
    return answer(
        ConversionOut(
            format=survey.target.form.name,
            examples=survey.examples,
            lossless=survey.is_lossless,
            loss_count=survey.loss_count,
            losses=[LossOut.model_validate(loss) for loss in survey.losses],
            dropped=survey.dropped,
        )
    )


def _described() -> dict[str, Any]:
    """Every type of file, for the service's own description."""
    types = [*_MEDIA_TYPES.values(), *_PACKED_TYPES.values()]
    rows = {"type": "array", "items": {"type": "object", "additionalProperties": True}}
    packed = {"type": "string", "format": "binary"}
    return {
        media_type: {"schema": rows if media_type == "application/json" else packed}
        for media_type in types
    }


@router.get(
    "/{ref}/content",
    operation_id="get_dataset_content",
    summary="Download a dataset",
    response_class=StreamingResponse,
    responses=responses(404, 422) | {200: {"content": _described()}},
)
async def get_dataset_content(
    use: Use,
    ref: str,
    form: FormAsked = None,
    container: ContainerAsked = Container.JSONL,
    compression: CompressionAsked = Compression.NONE,
    losses: LossesAsked = "refuse",
) -> Response:
    """The canonical JSON Lines, or the same examples in another form.

    A form that cannot carry everything is refused with what would be lost, unless `losses` says
    that it may be.
    """
    dataset = await use.datasets.get(ref)
    target = choose_target(dataset.kind, form, container, compression)
    if target.is_canonical:
        return StreamingResponse(
            use.datasets.content(dataset),
            media_type=_MEDIA_TYPES[container],
            headers=_named(dataset, target) | {"Content-Length": str(dataset.bytes)},
        )
    survey = await use.conversions.survey(dataset, target)
    survey.refuse_losses(are_accepted=losses == "accept")
    return StreamingResponse(
        use.conversions.content(dataset, survey),
        media_type=_PACKED_TYPES.get(compression, _MEDIA_TYPES[container]),
        headers=_named(dataset, target),
    )


def _named(dataset: Dataset, target: Target) -> dict[str, str]:
    form = "" if target.has_kept_form else f"-{target.form.name}"
    ending = f"{target.container}{_ENDINGS[target.compression]}"
    name = f"{dataset.name}-{dataset.version}{form}.{ending}"
    return {"Content-Disposition": f'attachment; filename="{name}"'}
