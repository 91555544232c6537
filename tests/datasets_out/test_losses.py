"""Every loss has its name and its line, and what a row looks like in each form."""

import json
from typing import Any

import pytest

from app.domain.datasets import DatasetKind
from app.domain.errors import ContainerUnfit, ConversionLoses, DatasetKindUnfit
from app.domain.examples import MAX_LINE_BYTES
from app.domain.reading.rows import Container
from app.domain.writing.forms import FormName
from app.domain.writing.targets import choose_target
from tests.datasets_in.reading import take_in
from tests.datasets_out.converting import read_again, surveyed, written

Json = dict[str, Any]

SYSTEM: Json = {"role": "system", "content": "s"}
ASK: Json = {"role": "user", "content": "a"}
REPLY: Json = {"role": "assistant", "content": "b"}
OTHER: Json = {"role": "assistant", "content": "c"}
CALL: Json = {"id": "x", "function": {"name": "f", "arguments": '{"at": 1}'}, "type": "function"}
CALLING: Json = {"role": "assistant", "tool_calls": [CALL]}
FOUND: Json = {"role": "tool", "content": "d", "tool_call_id": "x"}
TOOL: Json = {"type": "function", "function": {"name": "f"}}
PICTURE: Json = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "u"}}]}
REFUSAL: Json = {"role": "assistant", "refusal": "no"}


def kept(*rows: Json) -> list[bytes]:
    """Canonical lines."""
    return take_in([json.dumps(row).encode() + b"\n" for row in rows]).kept.splitlines()


def chat(*messages: Json, **more: Any) -> Json:
    """A conversation."""
    return {"messages": list(messages), **more}


def preference(chosen: Json, rejected: Json, *prompt: Json) -> Json:
    """A choice between two answers."""
    return {"prompt": list(prompt) or [ASK], "chosen": [chosen], "rejected": [rejected]}


@pytest.mark.parametrize(
    ("form", "row", "wanted"),
    [
        ("prompt_completion", chat(ASK, REPLY), {"prompt": "a", "completion": "b"}),
        (
            "instruction",
            chat(SYSTEM, ASK, OTHER, ASK, REPLY),
            {"system": "s", "instruction": "a", "input": "", "output": "b"}
            | {"history": [["a", "c"]]},
        ),
        (
            "conversational_prompt_completion",
            chat(ASK, OTHER | {"weight": 0}, ASK, REPLY, tools=[TOOL]),
            {"prompt": [ASK, OTHER, ASK], "completion": [REPLY], "tools": [TOOL]},
        ),
        (
            "sharegpt",
            chat(SYSTEM, ASK, REPLY | {"weight": 1}, tools=[TOOL]),
            {
                "system": "s",
                "conversations": [
                    {"from": "human", "value": "a"},
                    {"from": "gpt", "value": "b", "weight": 1},
                ],
                "tools": '[{"type":"function","function":{"name":"f"}}]',
            },
        ),
        (
            "sharegpt",
            preference(REPLY, OTHER),
            {
                "conversations": [{"from": "human", "value": "a"}],
                "chosen": {"from": "gpt", "value": "b"},
                "rejected": {"from": "gpt", "value": "c"},
            },
        ),
        (
            "plain_preference",
            preference(REPLY, OTHER, SYSTEM, ASK),
            {"system": "s", "prompt": "a", "chosen": "b", "rejected": "c"},
        ),
        (
            "openai_preference",
            preference(REPLY, OTHER) | {"tools": [TOOL]},
            {
                "input": {"messages": [ASK], "tools": [TOOL]},
                "preferred_output": [REPLY],
                "non_preferred_output": [OTHER],
            },
        ),
    ],
)  # fmt: skip
def test_a_form_looks_as_others_have_it(form: FormName, row: Json, wanted: Json) -> None:
    lines = kept(row)
    kind = DatasetKind.PREFERENCE if "chosen" in row else DatasetKind.CHAT
    survey = surveyed(lines, kind, FormName(form))
    assert survey.is_lossless
    assert json.loads(written(survey, lines)) == wanted


@pytest.mark.parametrize(
    ("form", "row", "codes"),
    [
        ("prompt_completion", chat(ASK, REPLY, tools=[TOOL]), ["tools_lost"]),
        (
            "prompt_completion",
            chat(ASK, REPLY, parallel_tool_calls=True),
            ["parallel_tool_calls_lost"],
        ),
        ("prompt_completion", chat(ASK | {"name": "n"}, REPLY), ["name_lost"]),
        ("prompt_completion", chat(ASK, REPLY | {"weight": 1}), ["weight_lost"]),
        ("prompt_completion", chat(ASK, REPLY | {"refusal": "no"}), ["refusal_lost"]),
        ("prompt_completion", chat(ASK, REPLY | {"tool_calls": []}), ["tool_calls_lost"]),
        ("prompt_completion", chat(SYSTEM | {"role": "developer"}, ASK, REPLY), ["role_lost"]),
        ("instruction", chat(ASK, OTHER | {"weight": 0}, ASK, REPLY), ["weight_lost"]),
        ("conversational_prompt_completion", chat(ASK, OTHER, ASK, REPLY), ["weight_lost"]),
        (
            "conversational_prompt_completion",
            chat(ASK, OTHER, ASK, REPLY | {"weight": 0}),
            ["weight_lost", "weight_lost"],
        ),
        ("sharegpt", chat(ASK, CALLING, FOUND, REPLY), ["tool_call_id_lost"]),
        (
            "sharegpt",
            chat(ASK, CALLING | {"content": "e"}, FOUND, REPLY),
            ["tool_call_id_lost", "content_lost"],
        ),
        ("sharegpt", chat(ASK, REPLY, tools=[{"name": "f"}]), ["tools_lost"]),
    ],
)  # fmt: skip
def test_what_a_row_is_without_is_named(form: str, row: Json, codes: list[str]) -> None:
    lines = kept(row)
    survey = surveyed(lines, form=FormName(form))
    assert [loss.code for loss in survey.losses] == codes
    assert survey.dropped == 0
    assert len(read_again(written(survey, lines))) == 1


@pytest.mark.parametrize(
    ("form", "row", "code"),
    [
        ("prompt_completion", chat(ASK, REPLY, ASK, OTHER), "turns_lost"),
        ("prompt_completion", chat(ASK, CALLING, FOUND, REPLY), "tool_calls_lost"),
        ("prompt_completion", chat(PICTURE, REPLY), "parts_lost"),
        ("prompt_completion", chat(ASK, REFUSAL), "completion_lost"),
        ("instruction", chat(ASK, ASK, REPLY), "turns_lost"),
        ("instruction", chat(REPLY, ASK, REPLY), "turns_lost"),
        ("sharegpt", chat(ASK, CALLING | {"tool_calls": [CALL, CALL]}), "tool_calls_lost"),
        ("sharegpt", chat(ASK, FOUND, REPLY), "tool_calls_lost"),
        ("sharegpt", chat(ASK, CALLING, ASK, FOUND, REPLY), "tool_calls_lost"),
        ("sharegpt", chat(ASK, REFUSAL), "completion_lost"),
        ("plain_preference", preference(REPLY, OTHER, ASK, REPLY, ASK), "turns_lost"),
        ("plain_preference", preference(REPLY, REPLY | {"refusal": "no"}), "difference_lost"),
        ("sharegpt", preference(REPLY, REPLY | {"name": "n"}), "difference_lost"),
        ("sharegpt", preference(REPLY, OTHER) | {"chosen": [REPLY, REPLY]}, "turns_lost"),
    ],
)  # fmt: skip
def test_an_example_without_a_place_is_named(form: str, row: Json, code: str) -> None:
    kind = DatasetKind.PREFERENCE if "chosen" in row else DatasetKind.CHAT
    survey = surveyed(kept(row), kind, FormName(form))
    assert [loss.code for loss in survey.losses] == [code]
    assert survey.dropped == 1


@pytest.mark.parametrize(
    "arguments",
    ["", "x", '{"at":1}', '{"at": 1}', '{"a":1,"a":2}', '{"a":1e5}', "[1]", '"x"', "[" * 2000],
)
def test_the_arguments_of_a_call_keep_every_character(arguments: str) -> None:
    call = CALL | {"id": "call_1", "function": {"name": "f", "arguments": arguments}}
    lines = kept(chat(ASK, {"role": "assistant", "tool_calls": [call]}))
    survey = surveyed(lines, form=FormName.SHAREGPT)
    assert survey.is_lossless
    assert read_again(written(survey, lines)) == lines


def test_losses_are_told_by_line_and_beyond_a_hundred_counted() -> None:
    lines = kept(*[chat(ASK, REPLY)] * 7, *[chat(ASK, REPLY | {"weight": 1})] * 150)
    survey = surveyed(lines, form=FormName.INSTRUCTION)
    assert [loss.line for loss in survey.losses] == list(range(8, 108))
    assert survey.loss_count == 150
    with pytest.raises(ConversionLoses) as refused:
        survey.refuse_losses(are_accepted=False)
    assert refused.value.fault_count == 150
    survey.refuse_losses(are_accepted=True)


def test_a_file_without_an_example_is_refused_even_where_losses_are_accepted() -> None:
    survey = surveyed(kept(chat(PICTURE, REPLY)), form=FormName.INSTRUCTION)
    with pytest.raises(ConversionLoses):
        survey.refuse_losses(are_accepted=True)


@pytest.mark.parametrize("container", [Container.CSV, Container.PARQUET, Container.JSONL])
def test_a_row_that_no_upload_would_take_is_named(container: Container) -> None:
    long = '"' * (MAX_LINE_BYTES // 3)
    lines = kept(chat(ASK, REPLY, tools=[TOOL | {"function": {"name": long}}]))
    survey = surveyed(lines, form=FormName.SHAREGPT, container=container)
    assert [loss.code for loss in survey.losses] == ["line_too_long"]


def test_parts_stand_in_parquet_as_json_where_the_name_allows_it() -> None:
    lines = kept(chat(PICTURE, REPLY), chat(ASK, REPLY))
    survey = surveyed(lines, container=Container.PARQUET)
    assert read_again(written(survey, lines)) == lines
    form = FormName.CONVERSATIONAL_PROMPT_COMPLETION
    survey = surveyed(lines, form=form, container=Container.PARQUET)
    assert [loss.code for loss in survey.losses] == ["parts_lost"]
    assert read_again(written(survey, lines)) == lines[1:]


@pytest.mark.parametrize("form", ["preference", "conversational_prompt_completion"])
def test_a_table_has_no_place_for_lists_under_the_names_of_texts(form: str) -> None:
    kind = DatasetKind.PREFERENCE if form == "preference" else DatasetKind.CHAT
    with pytest.raises(ContainerUnfit):
        choose_target(kind, FormName(form), Container.TSV)


def test_a_form_for_the_other_kind_is_refused() -> None:
    with pytest.raises(DatasetKindUnfit, match="plain_preference"):
        choose_target(DatasetKind.PREFERENCE, FormName.INSTRUCTION)
