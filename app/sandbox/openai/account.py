"""One account at OpenAI: its files, jobs, models, and the webhooks it is told by."""

from app.sandbox.frame.clock import Clock
from app.sandbox.frame.webhooks import Notice, Outbox
from app.sandbox.openai.chat import Chat
from app.sandbox.openai.conditions import Conditions
from app.sandbox.openai.files import Files
from app.sandbox.openai.identity import new_id
from app.sandbox.openai.job import Job
from app.sandbox.openai.jobs import Jobs
from app.sandbox.openai.machine import Machine
from app.sandbox.openai.models import Models
from app.sandbox.openai.uploads import Uploads


class Account:
    """Everything that the simulator keeps; `kind` is what its jobs are."""

    def __init__(self, conditions: Conditions, clock: Clock, kind: type[Job] = Job) -> None:
        self.conditions = conditions
        self.clock = clock
        self.outbox = Outbox()
        self.files = Files(conditions, clock)
        self.uploads = Uploads(self.files, conditions, clock)
        self.models = Models(conditions, clock)
        machine = Machine(self.files, self.models, conditions, clock, self._announce)
        self.jobs = Jobs(self.files, self.models, machine, conditions, clock, kind)
        self.chat = Chat(self.models, clock)

    async def deliver(self, notice: Notice, *, age_seconds: float = 0) -> int | None:
        """Send a webhook once more; gives the status, None where nobody answered."""
        webhooks = self.conditions.webhooks
        if webhooks.url is None:
            return None
        return await self.outbox.deliver(
            notice, webhooks.url, webhooks.secret, age_seconds=age_seconds
        )

    def _announce(self, job: Job) -> None:
        notice = self.outbox.put(
            {
                "id": new_id("evt_"),
                "object": "event",
                "created_at": int(self.clock.now()),
                "type": f"fine_tuning.job.{job.status}",
                "data": {"id": job.id},
            }
        )
        webhooks = self.conditions.webhooks
        if webhooks.url is not None and not webhooks.held:
            self.outbox.send(notice, webhooks.url, webhooks.secret)
