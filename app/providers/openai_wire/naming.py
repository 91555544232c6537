"""Names of tuned models as OpenAI makes them: `ft:<base>:<organization>:<suffix>:<id>`."""


def base_of(name: str) -> str | None:
    """The base of a tuned model or of a checkpoint of one; None for a base model."""
    parts = name.split(":")
    return parts[1] if parts[0] == "ft" and len(parts) > 1 else None


def base_of_tuned(name: str) -> str | None:
    """The base of a tuned model; None for a checkpoint of one as for a base model."""
    is_checkpoint = name.rpartition(":")[2].startswith("ckpt-")
    return None if is_checkpoint else base_of(name)
