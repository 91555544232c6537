"""Whatever is written is read again as the same examples, or the loss has a name."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.datasets import DatasetKind
from app.domain.examples import Example
from app.domain.reading.rows import Container
from app.domain.writing.conversion import Survey
from app.domain.writing.forms import FormName, form_of
from app.domain.writing.packing import Compression
from app.domain.writing.targets import TABLES
from tests.datasets_in.reading import take_in
from tests.datasets_out.converting import read_again, surveyed, written
from tests.datasets_out.examples import kinds, lines_of

FORMS = {
    DatasetKind.CHAT: [
        FormName.CHAT,
        FormName.PROMPT_COMPLETION,
        FormName.CONVERSATIONAL_PROMPT_COMPLETION,
        FormName.INSTRUCTION,
        FormName.SHAREGPT,
    ],
    DatasetKind.PREFERENCE: [
        FormName.PREFERENCE,
        FormName.PLAIN_PREFERENCE,
        FormName.OPENAI_PREFERENCE,
        FormName.SHAREGPT,
    ],
}
every_form = pytest.mark.parametrize(
    ("kind", "form"), [(kind, form) for kind, forms in FORMS.items() for form in forms]
)


def in_all_containers(lines: list[bytes], kind: DatasetKind, form: FormName) -> Iterator[Survey]:
    """A survey for every container that has a place for the form."""
    for container in Container:
        if form_of(kind, form).fits_tables or container not in TABLES:
            yield surveyed(lines, kind, form, container)


@every_form
@settings(max_examples=40)
@given(data=st.data())
def test_what_loses_nothing_is_read_as_it_was(
    kind: DatasetKind, form: FormName, data: st.DataObject
) -> None:
    lines = lines_of(data.draw(st.lists(kinds[kind], min_size=1, max_size=4)))
    for every in in_all_containers(lines, kind, form):
        lossy = {loss.line for loss in every.losses}
        lossless = [line for number, line in enumerate(lines, start=1) if number not in lossy]
        survey = surveyed(lossless, kind, form, every.target.container)
        assert survey.is_lossless
        if lossless:
            assert read_again(written(survey, lossless)) == lossless


@every_form
@settings(max_examples=40)
@given(data=st.data())
def test_what_is_left_of_losses_is_good_to_read(
    kind: DatasetKind, form: FormName, data: st.DataObject
) -> None:
    lines = lines_of(data.draw(st.lists(kinds[kind], min_size=1, max_size=4)))
    for survey in in_all_containers(lines, kind, form):
        if survey.dropped < len(lines):
            intake, kept, _ = take_in([written(survey, lines)])
            assert (intake.kind, intake.format) == (kind, form)
            assert intake.examples == len(lines) - survey.dropped
            named = {lines[loss.line - 1] for loss in survey.losses if loss.line}
            assert set(lines) - set(kept.splitlines()) <= named


@pytest.mark.parametrize("compression", Compression)
@settings(max_examples=20)
@given(st.lists(kinds[DatasetKind.CHAT], min_size=1, max_size=3), st.integers(1, 3))
def test_packed_files_hold_the_same(
    compression: Compression, examples: list[Example], at_once: int
) -> None:
    lines = lines_of(examples)
    for container in Container:
        survey = surveyed(lines, container=container, compression=compression)
        assert read_again(written(survey, lines, at_once=at_once)) == lines
