"""A card as the README of a model's folder, with the front matter that Hugging Face reads."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from app.domain.cards.card import Card, EvaluationPart
from app.domain.provenance import SentRows


def readme(card: Card) -> str:
    """Markdown for people, with tags for machines on top."""
    return "\n".join([*_front_matter(card), "", *_body(card), ""])


def _front_matter(card: Card) -> Iterator[str]:
    """YAML, of which JSON is a part: so every value is quoted well."""
    yield "---"
    yield f"base_model: {_json(card.base_model.name)}"
    yield f"library_name: {'peft' if card.model.kind == 'adapter' else 'transformers'}"
    yield "pipeline_tag: text-generation"
    method = [card.method.type] if card.method else []
    yield f"tags: {_json(['luthier', *method])}"
    yield "---"


def _body(card: Card) -> Iterator[str]:
    yield f"# {_plain(card.model.name or card.model.id)}"
    yield ""
    yield f"Tuned from {_plain(card.base_model.name)} at {_plain(card.provider.name)} with Luthier."
    yield from _section("Model", _model_rows(card))
    if card.method is not None:
        names = list(dict.fromkeys([*card.method.requested, *card.method.effective]))
        asked, used = card.method.requested, card.method.effective
        yield from _table(
            "Hyperparameters",
            ("name", "asked for", "used"),
            [(name, _shown(asked, name), _shown(used, name)) for name in names],
        )
    yield from _section("Examples", _data_rows(card))
    if card.versions:
        yield from _section("Versions", card.versions.items())
    yield from _evaluations(card.evaluations)
    yield ""
    yield "`card.json` holds all of this for machines; `POST /jobs` with it trains the same again."


def _model_rows(card: Card) -> Iterator[tuple[str, Any]]:
    yield "id", card.model.id
    yield "weights, SHA-256", card.model.sha256
    yield "base model's commit", card.base_model.revision
    yield "base model's weights, SHA-256", card.base_model.sha256
    yield "continues", card.base_model.parent_model
    yield "method", card.method.type if card.method else None
    yield "seed", card.seed
    yield "trained tokens", card.trained_tokens
    yield "cost, USD", card.cost.actual_usd if card.cost else None
    yield "made", card.times.created_at.isoformat(timespec="seconds")


def _data_rows(card: Card) -> Iterator[tuple[str, Any]]:
    for side, data in (("training", card.training), ("validation", card.validation)):
        if data is None:
            continue
        if data.dataset is not None:
            yield f"{side} dataset", f"{data.dataset.name}@{data.dataset.version}"
        if data.sent is not None:
            yield from _sent_rows(side, data.sent)


def _sent_rows(side: str, sent: SentRows) -> Iterator[tuple[str, Any]]:
    yield f"{side} examples", sent.examples
    yield f"{side} dataset, SHA-256", sent.dataset_sha256
    yield f"{side} file as sent, SHA-256", sent.sha256
    yield f"{side} rows as sent, SHA-256 of their hashes", sent.rows_sha256


def _evaluations(evaluations: Sequence[EvaluationPart]) -> Iterator[str]:
    rows = [
        (
            f"{one.dataset.name}@{one.dataset.version}",
            score.metric,
            "" if score.mean is None else f"{score.mean:.3f}",
            ""
            if score.interval is None
            else f"{score.interval.low:.3f} to {score.interval.high:.3f}",
            score.examples,
        )
        for one in evaluations
        for score in one.scores
    ]
    if rows:
        heads = ("held-out dataset", "metric", "mean", "95 % interval", "examples")
        yield from _table("Evaluations", heads, rows)


def _section(title: str, rows: Iterable[tuple[str, Any]]) -> Iterator[str]:
    known = [(name, value) for name, value in rows if value is not None]
    if known:
        yield from _table(title, ("what", "value"), known)


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    yield from ("", f"## {title}", "")
    yield f"| {' | '.join(heads)} |"
    yield f"| {' | '.join('---' for _ in heads)} |"
    for row in rows:
        yield f"| {' | '.join(_plain(str(cell)) for cell in row)} |"


def _shown(values: dict[str, Any], name: str) -> str:
    return _json(values[name]) if name in values else ""


def _plain(text: str) -> str:
    """On one line, and nothing in it that would end a cell or begin a tag."""
    for sign, spelled in (("\\", "\\\\"), ("|", "\\|"), ("<", "&lt;"), ("`", "\\`")):
        text = text.replace(sign, spelled)
    return " ".join(text.split())


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
