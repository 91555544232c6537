"""Names as OpenAI builds them: `ft:<base>:<organisation>:<suffix>:<id>`; `ftjob-<id>` for jobs."""

import re

from app.domain.models import TunedModel

ORGANISATION = "luthier"

_ID = re.compile(r"[0-9a-z]{26}")


def openai_name(model: TunedModel) -> str:
    """The name; its last part alone says which model it is."""
    suffix = re.sub(r"[^a-zA-Z0-9_-]+", "-", model.name or "")
    id_ = model.id.removeprefix("model_")
    return f"ft:{model.provider}/{model.base_model}:{ORGANISATION}:{suffix}:{id_}"


def model_id_of(name: str) -> str | None:
    """The id in such a name; None for a name of another kind, such as a vendor's own."""
    parts = name.split(":")
    is_ours = len(parts) >= 5 and parts[0] == "ft" and parts[-3] == ORGANISATION
    return f"model_{parts[-1]}" if is_ours and _ID.fullmatch(parts[-1]) else None


def openai_job_name(job_id: str) -> str:
    """What OpenAI's programs call a job of ours."""
    return job_id.replace("job_", "ftjob-", 1)
