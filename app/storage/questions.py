"""The questions of a stored dataset, as an evaluation asks them."""

from app.domain.datasets import Dataset
from app.domain.examples import ChatExample, decode_example
from app.domain.questions import Question, question_of
from app.storage.blobs import Blobs
from app.storage.sources import read_lines


async def read_questions(blobs: Blobs, dataset: Dataset, *, limit: int | None) -> list[Question]:
    """The first `limit` examples that end with an answer of the assistant; all of them for None."""
    found: list[Question] = []
    row = 0
    async for line in read_lines(blobs.chunks(dataset.sha256)):
        row += 1
        if limit is not None and len(found) == limit:
            break
        example = decode_example(line, dataset.kind)
        question = question_of(row, example) if isinstance(example, ChatExample) else None
        if question is not None:
            found.append(question)
    return found
