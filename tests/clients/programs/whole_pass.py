"""A program over the generated Python client: from a file to what its tuned model is worth.

python whole_pass.py URL KEY FILE
"""

import sys
import time
from pathlib import Path

import httpx
from luthier_client import AuthenticatedClient
from luthier_client.api.datasets import create_dataset, get_dataset_content, list_datasets
from luthier_client.api.evaluations import create_evaluation, get_evaluation
from luthier_client.api.jobs import create_job, get_job
from luthier_client.api.models import create_chat_completion
from luthier_client.models import (
    ChatIn,
    ChatInMessagesItem,
    ChatOut,
    DatasetFileIn,
    DatasetFileInOnError,
    DatasetOut,
    DatasetPage,
    EvaluationIn,
    EvaluationOut,
    EvaluationStatus,
    JobIn,
    JobOut,
    JobStatus,
    Problem,
)
from luthier_client.types import File


def main(url: str, key: str, path: Path) -> None:
    """Say one line for each step."""
    client = AuthenticatedClient(base_url=url, token=key, timeout=httpx.Timeout(60))
    dataset = upload(client, path)
    print("dataset", dataset.examples)
    print("listed", *listed(client))
    print("content", len(content(client, dataset).splitlines()))
    job = trained(client, dataset)
    print("job", job.status, job.cost.budget_usd)
    print("answer", ask(client, str(job.tuned_model)))
    evaluation = compared(client, dataset, [f"simulated/{job.base_model}", str(job.tuned_model)])
    print("evaluation", *(score.mean for score in evaluation.scores))
    print("refused", refused(client))


def upload(client: AuthenticatedClient, path: Path) -> DatasetOut:
    """The file as a dataset, without its wrong rows."""
    with path.open("rb") as file:
        body = DatasetFileIn(
            name="echo", on_error=DatasetFileInOnError.SKIP, file=File(file, path.name)
        )
        dataset = create_dataset.sync(client=client, body=body)
    assert isinstance(dataset, DatasetOut)
    return dataset


def listed(client: AuthenticatedClient) -> list[str]:
    """The names of all datasets."""
    page = list_datasets.sync(client=client)
    assert isinstance(page, DatasetPage)
    return [dataset.name for dataset in page.data]


def content(client: AuthenticatedClient, dataset: DatasetOut) -> bytes:
    """The dataset's lines."""
    file = get_dataset_content.sync(dataset.id, client=client)
    assert isinstance(file, File)
    return file.payload.read()


def trained(client: AuthenticatedClient, dataset: DatasetOut) -> JobOut:
    """A job at its end; each request waits for a change."""
    wanted = JobIn(
        provider="simulated", base_model="sim-base", dataset=dataset.id, budget_usd="5000.00"
    )
    job = create_job.sync(client=client, body=wanted, idempotency_key="the-only-one")
    assert isinstance(job, JobOut)
    while job.status not in (JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED):
        seen = get_job.sync(
            job.id, client=client, wait=20, if_none_match=f'"{job.id}.{job.revision}"'
        )
        job = seen if isinstance(seen, JobOut) else job
    return job


def ask(client: AuthenticatedClient, model: str) -> str:
    """What a model answers."""
    message = ChatInMessagesItem.from_dict({"role": "user", "content": "say what?"})
    answer = create_chat_completion.sync(model, client=client, body=ChatIn(messages=[message]))
    assert isinstance(answer, ChatOut)
    return str(answer.choices[0].message["content"])


def compared(
    client: AuthenticatedClient, dataset: DatasetOut, candidates: list[str]
) -> EvaluationOut:
    """An evaluation at its end."""
    wanted = EvaluationIn(dataset=dataset.id, candidates=candidates, metrics=["exact_match"])
    evaluation = create_evaluation.sync(client=client, body=wanted)
    while True:
        assert isinstance(evaluation, EvaluationOut)
        if evaluation.status in (EvaluationStatus.SUCCEEDED, EvaluationStatus.FAILED):
            return evaluation
        # Whoever asks without a pause takes the processor from what is waited for.
        time.sleep(0.02)
        evaluation = get_evaluation.sync(evaluation.id, client=client)


def refused(client: AuthenticatedClient) -> str:
    """The code of a problem."""
    problem = get_job.sync("job_none", client=client)
    assert isinstance(problem, Problem)
    return problem.code


main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
