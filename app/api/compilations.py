"""Compilations over HTTP: whether a provider would take a dataset, before anything is paid."""

from typing import Any

from fastapi import APIRouter, Response
from pydantic import Field

from app.api.dependencies import Use
from app.api.job_wishes import MethodIn
from app.api.jobs import MethodOut
from app.api.problems import responses
from app.api.shapes import In, Out, answer
from app.domain.compiling import Told
from app.domain.jobs import Method
from app.services.compilations import Compiled, Target

router = APIRouter(prefix="/datasets", tags=["datasets"])


class CompileIn(In):
    """For whom the dataset is to be compiled."""

    provider: str = Field(examples=["local"])
    base_model: str = Field(min_length=1, max_length=500, examples=["luthier-tiny"])
    method: MethodIn = Field(default_factory=MethodIn)


class RemarkOut(Out):
    """One thing that was found."""

    code: str
    message: str
    pointer: str | None = Field(description="Where in the request, as a JSON pointer.")
    line: int | None = Field(description="Which example, from 1.")


class TokenMeasureOut(Out):
    """What tokens were counted with."""

    name: str
    exact: bool = Field(description="False for an estimate.")
    error: str | None = Field(description="How far an estimate may be off, as measured.")


class CompilationOut(Out):
    """What the provider would say of the dataset."""

    ok: bool
    dataset: str
    provider: str
    base_model: str
    method: MethodOut
    error_count: int
    errors: list[RemarkOut] = Field(description="Why it would be refused; the first 100.")
    warning_count: int
    warnings: list[RemarkOut] = Field(description="What it would take and you should look at.")
    loss_count: int
    losses: list[RemarkOut] = Field(description="What its form cannot carry.")
    examples: int
    tokens: int = Field(description="Of one epoch, over all examples.")
    longest_example: int = Field(description="Tokens of the longest example.")
    token_measure: TokenMeasureOut
    bytes: int = Field(description="Of the file as it would be sent.")
    sha256: str = Field(description="Of the file as it would be sent.")


@router.post(
    "/{ref}/compile",
    operation_id="compile_dataset",
    summary="Compile a dataset for a provider",
    response_model=CompilationOut,
    responses=responses(404, 422),
)
async def compile_dataset(use: Use, ref: str, body: CompileIn) -> Response:
    """Check and render every example as the provider would get it; nothing is sent anywhere."""
    method = Method(body.method.type, body.method.hyperparameters)
    target = Target(provider=body.provider, base_model=body.base_model, method=method)
    compiled = await use.compilations.compile(ref, target)
    return answer(CompilationOut.model_validate(shown(compiled)))


def shown(compiled: Compiled) -> dict[str, Any]:
    """A verdict as it goes over the wire."""
    verdict, target = compiled.verdict, compiled.target
    return {
        "ok": verdict.ok,
        "dataset": compiled.dataset.id,
        "provider": target.provider,
        "base_model": target.base_model,
        "method": target.method,
        **_told("error", "errors", verdict.errors),
        **_told("warning", "warnings", verdict.warnings),
        **_told("loss", "losses", verdict.losses),
        "examples": verdict.examples,
        "tokens": verdict.tokens,
        "longest_example": verdict.longest,
        "token_measure": verdict.measure,
        "bytes": verdict.bytes,
        "sha256": verdict.sha256,
    }


def _told(one: str, many: str, told: Told) -> dict[str, Any]:
    return {f"{one}_count": told.count, many: told.first}
