"""One workspace with everything in it."""

from app.sandbox.azure_ml.conditions import Conditions
from app.sandbox.azure_ml.data import Data
from app.sandbox.azure_ml.jobs import Jobs
from app.sandbox.azure_ml.models import Models
from app.sandbox.azure_ml.storage import Storage
from app.sandbox.azure_ml.workspace import Workspace
from app.sandbox.frame.clock import Clock


class Account:
    """Everything that the simulator keeps."""

    def __init__(self, conditions: Conditions, clock: Clock) -> None:
        self.conditions = conditions
        self.clock = clock
        self.workspace = Workspace()
        self.storage = Storage(clock)
        self.models = Models(clock)
        self.data = Data()
        self.jobs = Jobs(self.storage, self.data, self.models, conditions, clock)
