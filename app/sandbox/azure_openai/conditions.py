"""The world that the simulator of Azure OpenAI is in."""

from pydantic import Field, NonNegativeInt, PositiveFloat

from app.sandbox.openai.conditions import Conditions


class AzureConditions(Conditions):
    """OpenAI's, and those of deployments.

    `deployment_looks` is how often a deployment must be looked at until it is made, or gone. One
    that nobody asks is removed after `idle_days`, one of the developer tier after
    `developer_hours` in any case. The dated surface lists `other_models` besides those that the
    simulator trains, each with whether it can be tuned.
    """

    deployment_looks: NonNegativeInt = 0
    idle_days: PositiveFloat = 15
    developer_hours: PositiveFloat = 24
    other_models: dict[str, bool] = Field(default_factory=dict[str, bool])
