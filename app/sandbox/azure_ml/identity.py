"""How Azure names things and spells moments."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime

PROVIDER = "Microsoft.MachineLearningServices"

WORKSPACE = (
    "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}"
    f"/providers/{PROVIDER}/workspaces/{{workspaceName}}"
)


def workspace_id(names: Mapping[str, str]) -> str:
    """The resource id of the workspace that a path names."""
    return WORKSPACE.format(**names)


def http_date(seconds: float) -> str:
    """As HTTP headers have it."""
    return format_datetime(datetime.fromtimestamp(int(seconds), UTC), usegmt=True)
