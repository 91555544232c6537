"""Questions of examples, what metrics make of answers, slices, ranking, and a judge's word."""

from typing import Any

import pytest

from app.domain.evaluations import Answer, Candidate, Judge, JudgeMode
from app.domain.examples import ChatExample, FunctionCall, Message, ToolCall
from app.domain.judging import judging_request, read_verdict
from app.domain.metrics import METRICS, fits, measured
from app.domain.questions import Question, question_of
from app.domain.ranking import Order, Scores, is_weak, ranked
from app.domain.slicing import labels_of, slices

ASK = Message("user", "a")
CALL = ToolCall("1", FunctionCall("look", '{"a": 1}'))
CALLED = Message("assistant", tool_calls=[CALL])
SCORES: Scores = {
    ("base", 1): {"f1": 0.5},
    ("base", 2): {"f1": 0.1},
    ("base", 3): {},
    ("tuned", 1): {"f1": 1.0},
    ("tuned", 2): {"f1": 0.2},
    ("tuned", 3): {"f1": 0.9},
}
ANSWER: dict[str, Any] = {"row": 1, "candidate": "tuned", "scores": {}, "seconds": 0.5}


def asked(row: int, prompt: str, expected: str) -> Question:
    """A question with an answer in text."""
    return Question(
        row=row, messages=[Message("user", prompt)], expected=Message("assistant", expected)
    )


def test_the_last_turn_of_the_assistant_is_the_expected_one() -> None:
    reply = Message("assistant", "b")
    text = question_of(7, ChatExample([ASK, reply]))
    assert text is not None
    assert (text.row, text.messages, text.text, text.calls) == (7, [ASK], "b", [])
    call = question_of(7, ChatExample([ASK, reply, ASK, CALLED], tools=[{"type": "function"}]))
    assert call is not None
    assert (call.messages, call.text, call.calls) == ([ASK, reply, ASK], None, [CALL])
    assert call.request()["tools"] == [{"type": "function"}]
    assert question_of(7, ChatExample([ASK])) is None


def test_metrics_score_what_they_fit_and_errors_are_no_success() -> None:
    question = asked(1, "a", '{"a": 1}')
    answer = Answer(output='{"a": 1}', completion_tokens=9, **ANSWER)
    every = list(METRICS)
    found = measured(answer, question, every)
    quality = {name for name in every if not METRICS[name].is_less_better} - {"tool_calls"}
    assert {name: found[name] for name in quality} == dict.fromkeys(quality, 1.0)
    assert (found["latency"], found["output_tokens"]) == (0.5, 9)
    assert found.keys() & {"tool_calls", "cost", "input_tokens"} == set()
    silent = measured(Answer(output="", refusal="Too long.", **ANSWER), question, every)
    assert silent == dict.fromkeys(quality, 0.0)


def test_calls_are_compared_where_calls_are_expected() -> None:
    question = Question(row=1, messages=[ASK], expected=CALLED)
    answer = Answer(output="", tool_calls=[CALL], **ANSWER)
    assert measured(answer, question, ["tool_calls", "exact_match"]) == {"tool_calls": 1.0}
    assert fits("tool_calls", question)
    assert not fits("exact_match", question)
    assert fits("judge", question)


def test_slices_are_labels_lengths_and_tags() -> None:
    questions = [
        asked(row, "say " * 30 * row, "even" if row % 2 == 0 else "odd") for row in range(6)
    ]
    found = slices(questions, {"hard": [1, 99], "none": [77]})
    assert found == {
        "label:even": {0, 2, 4},
        "label:odd": {1, 3, 5},
        "length:up_to_50": {0, 1},
        "length:51_to_200": {2, 3, 4, 5},
        "tag:hard": {1},
    }


def test_free_text_has_no_labels() -> None:
    assert labels_of([asked(row, "a", f"text {row}") for row in range(9)]) is None
    assert labels_of([Question(row=1, messages=[ASK], expected=CALLED)]) is None


@pytest.mark.parametrize(
    ("order", "metric", "rows"),
    [
        (Order.ROW, "f1", [1, 2, 3]),
        (Order.WORST, "f1", [2, 3, 1]),
        (Order.DISAGREEMENT, "f1", [1, 2, 3]),
    ],
)
def test_examples_are_ranked(order: Order, metric: str, rows: list[int]) -> None:
    names = ["base", "tuned"]
    assert ranked(SCORES, order, metric=metric, candidate="tuned", candidates=names) == rows


def test_only_what_has_a_fault_is_weak() -> None:
    by: dict[str, Any] = {"metric": "f1", "candidate": "tuned", "candidates": ["base", "tuned"]}
    assert [row for row in (1, 2, 3) if is_weak(SCORES, row, Order.WORST, **by)] == [2, 3]
    assert [row for row in (1, 2, 3) if is_weak(SCORES, row, Order.DISAGREEMENT, **by)] == [1, 2]


def judge(mode: JudgeMode) -> Judge:
    """A judge of politeness."""
    return Judge(Candidate("sim/judge", "sim", "judge"), "Be polite.", mode)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ('{"reason": "good {really}", "score": 5}', 1.0),
        ('Let me think {"score": 1}. No: {"score": 3}', 0.5),
        ('{"score": 9}', None),
        ('{"score": true}', None),
        ("five", None),
    ],
)
def test_a_mark_is_read_from_0_to_1(text: str, verdict: float | None) -> None:
    assert read_verdict(judge(JudgeMode.SCORE), text, turn=0) == verdict


@pytest.mark.parametrize(
    ("winner", "turn", "verdict"),
    [("A", 0, 1.0), ("A", 1, 0.0), ("b", 1, 1.0), ("B", 0, 0.0), ("tie", 1, 0.5), ("C", 0, None)],
)
def test_the_second_turn_has_the_order_swapped(
    winner: str, turn: int, verdict: float | None
) -> None:
    text = f'{{"winner": "{winner}"}}'
    assert read_verdict(judge(JudgeMode.PAIRWISE), text, turn=turn) == verdict


def test_a_judge_sees_the_answers_in_both_orders() -> None:
    ours, theirs = (Answer(output=text, **ANSWER) for text in ("mine", "yours"))
    asked_for = [
        judging_request(judge(JudgeMode.PAIRWISE), asked(1, "a", "b"), ours, theirs, turn=turn)
        for turn in (0, 1)
    ]
    first, second = (request["messages"][1]["content"] for request in asked_for)
    assert "<answer_a>\nmine\n</answer_a>" in first
    assert "<answer_a>\nyours\n</answer_a>" in second
    assert "Be polite." in asked_for[0]["messages"][0]["content"]
