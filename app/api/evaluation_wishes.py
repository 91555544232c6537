"""What a request for an evaluation may say: who answers, who judges, what has to be reached."""

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from app.api.shapes import In, Names, Usd
from app.domain.evaluations import JudgeMode, Rating
from app.services.evaluations import WantedEvaluation, WantedGate, WantedGuard, WantedJudge

MAX_MARKED = 10_000

Drop = Annotated[float, Field(ge=0, le=1_000_000)]


class JudgeIn(In):
    """The model that judges, and by what."""

    model: str = Field(
        description="A tuned model's id or `provider/base_model`.", examples=["openai/gpt-4.1"]
    )
    rubric: str = Field(
        min_length=1,
        max_length=20_000,
        description="What makes an answer good, in words.",
        examples=["Correct, polite, at most two sentences."],
    )
    mode: JudgeMode = Field(
        default=JudgeMode.SCORE,
        description="`score` marks each answer from 1 to 5; `pairwise` names the better of two "
        "answers, the first candidate's and another's, in both orders.",
    )

    @property
    def wanted(self) -> WantedJudge:
        return WantedJudge(model=self.model, rubric=self.rubric, mode=self.mode)


class GuardIn(In):
    """What may not become worse: a metric here, or a metric on another dataset."""

    metric: str | None = Field(default=None, description="By default the gate's.")
    dataset: str | None = Field(
        default=None, description="Another dataset, which gets an evaluation of its own."
    )
    max_drop: Drop = Field(description="How much worse is still let through.")

    @model_validator(mode="after")
    def _guards_something(self) -> Self:
        if self.metric is None and self.dataset is None:
            raise ValueError("a guard needs a metric, a dataset or both")
        return self


class GateIn(In):
    """What decides whether the candidates are good enough to be used."""

    metric: str = Field(examples=["exact_match"])
    min_delta: float | None = Field(
        default=None,
        ge=-1_000_000,
        le=1_000_000,
        description="How much better than the first candidate the others have to be.",
    )
    non_inferiority_margin: Drop | None = Field(
        default=None, description="Or: how much worse they may be."
    )
    confidence: float = Field(
        default=0.95, ge=0.5, le=0.999, description="How sure that has to be (one-sided)."
    )
    guards: list[GuardIn] = Field(default=[], max_length=10)

    @model_validator(mode="after")
    def _has_one_threshold(self) -> Self:
        if (self.min_delta is None) is (self.non_inferiority_margin is None):
            raise ValueError("a gate needs either `min_delta` or `non_inferiority_margin`")
        return self

    @property
    def wanted(self) -> WantedGate:
        return WantedGate(
            metric=self.metric,
            min_delta=self.min_delta,
            non_inferiority_margin=self.non_inferiority_margin,
            confidence=self.confidence,
            guards=[
                WantedGuard(
                    metric=guard.metric or self.metric,
                    dataset=guard.dataset,
                    max_drop=guard.max_drop,
                )
                for guard in self.guards
            ],
        )


class RatingIn(In):
    """What a person thought of one answer."""

    line: int = Field(ge=1, description="Of the dataset, from 1.")
    candidate: str
    score: int = Field(ge=1, le=5)


Lines = Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1, max_length=MAX_MARKED)]
Tag = Annotated[str, Field(min_length=1, max_length=60)]


class EvaluationIn(In):
    """Which models to compare, on what, by which metrics."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "dataset": "support-test",
                    "candidates": ["local/luthier-tiny", "model_01jd..."],
                    "metrics": ["exact_match", "f1"],
                }
            ]
        }
    )

    dataset: str = Field(
        description="Held-out examples: id, `name` or `name@3`.", examples=["support-test"]
    )
    candidates: Names = Field(
        description="Tuned models' ids or `provider/base_model`; the first is the baseline.",
        examples=[["local/luthier-tiny", "model_01jd..."]],
    )
    metrics: Names = Field(default=["exact_match"], examples=[["exact_match", "f1"]])
    limit: int | None = Field(
        default=None, ge=1, le=1_000_000, description="Ask only the first so many."
    )
    judge: JudgeIn | None = Field(default=None, description="For the metric `judge`.")
    gate: GateIn | None = None
    max_cost_usd: Usd | None = Field(
        default=None,
        gt=0,
        le=1_000_000,
        description="Stop before answers and judgements cost more; what was answered is kept.",
        examples=["5.00"],
    )
    ratings: list[RatingIn] = Field(
        default=[], max_length=MAX_MARKED, description="To see how far metrics agree with people."
    )
    tags: dict[Tag, Lines] = Field(
        default={},
        max_length=20,
        description="Lines of the dataset by any tag; each tag is a slice of its own.",
        examples=[{"long tail": [3, 17, 40]}],
    )

    @property
    def wanted(self) -> WantedEvaluation:
        return WantedEvaluation(
            dataset=self.dataset,
            candidates=self.candidates,
            metrics=self.metrics,
            limit=self.limit,
            judge=self.judge.wanted if self.judge else None,
            gate=self.gate.wanted if self.gate else None,
            max_cost_usd=self.max_cost_usd,
            ratings=[Rating(one.line, one.candidate, one.score) for one in self.ratings],
            tags=self.tags,
        )


class MetricsIn(In):
    """What else is to be scored."""

    metrics: Names = Field(examples=[["rouge_l", "judge"]])
    judge: JudgeIn | None = Field(default=None, description="For `judge`; replaces the one before.")
