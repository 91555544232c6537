"""One project at Google: its buckets, tuning jobs, models and endpoints."""

from app.sandbox.frame.clock import Clock
from app.sandbox.vertex.answers import Answers
from app.sandbox.vertex.conditions import Conditions
from app.sandbox.vertex.jobs import Jobs
from app.sandbox.vertex.registry import Registry
from app.sandbox.vertex.storage import Storage
from app.sandbox.vertex.tokens import Tokens


class Account:
    """Everything that the simulator keeps."""

    def __init__(self, conditions: Conditions, clock: Clock) -> None:
        self.conditions = conditions
        self.clock = clock
        self.storage = Storage(conditions, clock)
        self.registry = Registry(conditions)
        self.jobs = Jobs(self.storage, self.registry, conditions, clock)
        self.tokens = Tokens()
        self.answers = Answers(self.registry, conditions)
