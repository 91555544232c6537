"""One resource of Azure OpenAI: files and jobs as OpenAI's, and models that must be deployed."""

import re
from dataclasses import replace

from app.sandbox.azure_openai import dated
from app.sandbox.azure_openai.conditions import AzureConditions
from app.sandbox.azure_openai.deployments import Deployments
from app.sandbox.azure_openai.job import AzureJob
from app.sandbox.frame.clock import Clock
from app.sandbox.frame.exchange import EVENT_STREAM, Asked, Refused, Reply
from app.sandbox.openai.account import Account

_SUFFIX = re.compile(r"[A-Za-z0-9_-]{1,40}")

# The first chunk of every stream has no choices and hardly a name.
_FILTERED = (
    b'data: {"choices":[],"created":0,"id":"","model":"","object":"",'
    b'"prompt_filter_results":[{"prompt_index":0,"content_filter_results":{}}]}\n\n'
)


class AzureAccount(Account):
    """Everything that the simulator keeps."""

    def __init__(self, conditions: AzureConditions, clock: Clock) -> None:
        super().__init__(conditions, clock, AzureJob)
        self._resource = conditions
        self.deployments = Deployments(self.models, conditions, clock)

    def create_job(self, asked: Asked) -> Reply:
        """POST …/fine_tuning/jobs"""
        suffix = asked.body.get("suffix")
        if suffix is not None and not _SUFFIX.fullmatch(suffix):
            message = "The suffix can contain up to 40 characters (a-z, A-Z, 0-9, - and _)."
            raise Refused(400, message, code="invalidPayload", param="suffix")
        return self.jobs.create(asked)

    def delete_job(self, asked: Asked) -> Reply:
        """DELETE …/fine_tuning/jobs/{fine_tuning_job_id}, on the dated surface"""
        self.jobs.events(asked)  # refuses a job that is not there
        del self.jobs.all[asked.names["fine_tuning_job_id"]]
        return Reply.empty(status=204)

    def list_models(self, asked: Asked) -> Reply:
        """GET …/models, on the dated surface"""
        (listed,) = self.models.list(asked).values()
        data = [self._dated(shape) for shape in listed["data"]]
        data += [dated.other(*one) for one in self._resource.other_models.items()]
        return Reply.of({"object": "list", "data": data})

    def get_model(self, asked: Asked) -> Reply:
        """GET …/models/{model}, on the dated surface"""
        (shape,) = self.models.retrieve(asked).values()
        return Reply.of(self._dated(shape))

    def ask(self, asked: Asked) -> Reply:
        """POST …/chat/completions, by the deployment in the path or else in the body"""
        name = asked.names.get("deployment") or asked.body["model"]
        model = self.deployments.model_of(name)
        reply = self.chat.create(replace(asked, body=asked.body | {"model": model}))
        if reply.media_type != EVENT_STREAM:
            return reply
        return replace(reply, pieces=[_FILTERED, *reply.pieces])

    def _dated(self, shape: dated.Shape) -> dated.Shape:
        base = self.models.base_of(shape["id"])
        return dated.model(shape, base=None if base == shape["id"] else base)
