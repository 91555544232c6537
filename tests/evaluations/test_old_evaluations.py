"""Evaluations that an older version left are read as they were."""

import asyncio
import json

from alembic import command
from sqlalchemy import text

from app.domain.evaluations import Answer, Difference, Interval, Score
from app.storage import answers, evaluations, migrating
from app.storage.database import Database, normalise

SURE = {"low": 0.0, "high": 1.0}
SCORE = {"candidate": "a", "metric": "f1", "mean": 0.5, "interval": SURE, "examples": 2}
GAP = {"candidate": "b", "baseline": "a", "metric": "f1", "mean": 0.5, "interval": SURE}

OLD_EVALUATION = text(
    "INSERT INTO evaluations (id, dataset, candidates, metrics, status, examples, answered, scores,"
    " differences, failures, epoch, created_at, finished_at) VALUES ('eval_old', :dataset,"
    " :candidates, '[\"f1\"]', 'succeeded', 2, 1, :scores, :gaps, 0, 1, 1, 2)"
)
OLD_ANSWER = text(
    "INSERT INTO evaluation_answers (evaluation_id, candidate, row, output, scores, seconds)"
    " VALUES ('eval_old', 'a', 1, 'yes', '{\"f1\": 0.5}', 0.25)"
)


async def test_scores_and_answers_of_an_old_evaluation_are_read(database_url: str) -> None:
    config = migrating.alembic_config(normalise(database_url))
    await asyncio.to_thread(command.downgrade, config, "0008")
    database = Database(database_url)
    who = [{"name": name, "provider": "local", "base_model": name} for name in "ab"]
    values = {
        "dataset": json.dumps({"id": "ds_1", "name": "echo", "version": 1}),
        "candidates": json.dumps(who),
        "scores": json.dumps([SCORE]),
        "gaps": json.dumps([GAP]),
    }
    async with database.write() as connection:
        await connection.execute(OLD_EVALUATION, values)
        await connection.execute(OLD_ANSWER)

    await asyncio.to_thread(command.upgrade, config, "head")

    async with database.read() as connection:
        found = await evaluations.get(connection, "eval_old")
        [answer] = await answers.page(connection, "eval_old", "a", after=0, limit=9)
    await database.dispose()
    assert found.scores == [Score("a", "f1", 0.5, Interval(0.0, 1.0), 2)]
    assert found.differences == [Difference("b", "a", "f1", 0.5, Interval(0.0, 1.0))]
    assert (found.errors, found.ratings, found.tags, found.passed) == ({}, [], {}, None)
    assert answer == Answer(row=1, candidate="a", output="yes", scores={"f1": 0.5}, seconds=0.25)
