"""What a dataset may be uploaded as: a form with a file, or JSON with examples or a URL."""

from collections.abc import AsyncGenerator, Callable
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    Json,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from app.api.shapes import In
from app.api.uploads import Form
from app.domain.datasets import NAME_PATTERN
from app.domain.errors import Fault, Invalid, TooLarge
from app.domain.intake import Reading
from app.domain.reading.columns import KNOWN, Columns
from app.domain.reading.rows import Container

MAX_JSON_BYTES = 32 * 1024 * 1024

BYTES_AT_ONCE = 256 * 1024

_OPTIONS = ("format", "columns", "on_error")

Name = Annotated[
    str, Field(pattern=NAME_PATTERN, description="Collects versions.", examples=["support-labels"])
]


def _known(name: str | None) -> str | None:
    if name is not None and name not in KNOWN:
        raise ValueError(f"no form of a row has {name[:40]!r}; known are {_KNOWN_NAMES}")
    return name


_KNOWN_NAMES = ", ".join(sorted(KNOWN))

ColumnNames = Annotated[
    dict[str, Annotated[str | None, AfterValidator(_known)]],
    Field(
        max_length=1000,
        description="What the rows' own names stand for; null leaves a column out. Known names: "
        f"{_KNOWN_NAMES}.",
        examples=[{"question": "prompt", "answer": "completion", "id": None}],
    ),
]

OnError = Annotated[
    Literal["reject", "skip"],
    Field(
        description="What wrong rows do: refuse the whole file, or be set aside for download.",
    ),
]

Format = Annotated[
    Container | None,
    WithJsonSchema(
        {
            "type": "string",
            "enum": [str(container) for container in Container],
            "description": "How the file holds its rows, where its beginning does not tell.",
        }
    ),
]

Shape = TypeVar("Shape", bound=BaseModel)


class DatasetIn(In):
    """Either `examples` in the request itself, or the `url` of a file."""

    name: Name
    url: str | None = Field(
        default=None,
        min_length=1,
        max_length=8192,
        description="Where the file is: `https://`, or `s3://`, `gs://` and `az://` where the "
        "operator allows it.",
        examples=["https://files.example.com/labels.jsonl.gz"],
    )
    examples: list[dict[str, Any]] | None = Field(
        default=None,
        validate_default=True,
        description="Rows in any form that a file may have.",
        examples=[[{"prompt": "I was charged twice.", "completion": "billing.double_charge"}]],
    )
    format: Format = None
    columns: ColumnNames = {}
    on_error: OnError = "reject"

    @field_validator("examples")
    @classmethod
    def _come_alone(cls, examples: Any, given: ValidationInfo) -> Any:
        if "url" in given.data and (examples is None) == (given.data["url"] is None):
            raise ValueError("send either `examples` or `url`")
        return examples

    @field_validator("format")
    @classmethod
    def _is_of_a_file(cls, format: Any, given: ValidationInfo) -> Any:
        if format is not None and given.data.get("url") is None:
            raise ValueError("`format` is for the file behind a `url`; examples are JSON")
        return format

    @property
    def reading(self) -> Reading:
        """How the rows are to be read."""
        container = Container.JSON if self.url is None else self.format
        return Reading(container, Columns(self.columns), is_skipping=self.on_error == "skip")


class FormOptions(In):
    """The fields of a form that say how its file is to be read."""

    format: Container | None = None
    columns: Json[ColumnNames] = {}
    on_error: OnError = "reject"


_FILE = {
    "title": "DatasetFileIn",
    "description": "A file, and how it is to be read. Send `file` last, `name` anywhere.",
    "type": "object",
    "additionalProperties": False,
    # Generated clients send what is required first, and a file's bytes are read as they come.
    "required": ["name"],
    "properties": {
        "name": {
            "type": "string",
            "pattern": NAME_PATTERN,
            "description": "Collects versions.",
            "examples": ["support-labels"],
        },
        "format": {
            "type": "string",
            "enum": [str(container) for container in Container],
            "description": "How the file holds its rows, where its beginning does not tell.",
        },
        "columns": {
            "type": "string",
            "contentMediaType": "application/json",
            "description": "A JSON object: what the file's own names stand for; null leaves a "
            f"column out. Known names: {_KNOWN_NAMES}.",
            "examples": ['{"question": "prompt", "answer": "completion", "id": null}'],
        },
        "on_error": {
            "type": "string",
            "enum": ["reject", "skip"],
            "description": "What wrong rows do: refuse the whole file (the default), or be set "
            "aside for download.",
        },
        "file": {
            "type": "string",
            "format": "binary",
            "description": "Needed. JSON Lines, a JSON list, CSV, TSV or Parquet; plain, gzip or "
            "zstd.",
        },
    },
}

COMPONENTS = {"DatasetFileIn": _FILE, "DatasetIn": DatasetIn.model_json_schema()}
"""The shapes of an upload, for the service's own description."""

UPLOAD = {
    "required": True,
    "content": {
        "multipart/form-data": {"schema": {"$ref": "#/components/schemas/DatasetFileIn"}},
        "application/json": {"schema": {"$ref": "#/components/schemas/DatasetIn"}},
    },
}
"""The request body of an upload, for the service's own description."""

_name = TypeAdapter[str](Name)


async def from_json(request: Request) -> tuple[DatasetIn, AsyncGenerator[bytes]]:
    """A JSON body with its examples, if any; a row's line is its place in the list, from 1."""
    content = await _bounded(request)
    body = _checked(lambda: DatasetIn.model_validate_json(content))
    try:
        # As they came: what a decoder would mend or drop in silence has to be seen.
        parts = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"The body is not JSON: {error}.") from error
    return body, _slices(bytes(parts.get("examples", b"")))


async def from_form(request: Request) -> tuple[Form, Reading]:
    """A form read up to its file, and how the file is to be read."""
    form = Form(request, file_field="file")
    await form.find_file()
    given = {field: form.fields[field] for field in _OPTIONS if field in form.fields}
    options = _checked(lambda: FormOptions.model_validate(given))
    return form, Reading(
        options.format, Columns(options.columns), is_skipping=options.on_error == "skip"
    )


def name_in(form: Form) -> str:
    """The name in a form that was read to its end."""
    fields = form.fields
    late = [field for field in _OPTIONS if field in form.late_fields]
    if late:
        raise Invalid(f"Send `{late[0]}` before `file`: it says how the file is to be read.")
    unknown = sorted(fields.keys() - {"name", *_OPTIONS})
    if unknown:
        raise Invalid(f"There is no field {unknown[0]!r} here; send `file` and `name`.")
    if "name" not in fields:
        raise Invalid("The form has no `name`: under which name shall the dataset be kept?")
    try:
        return _name.validate_python(fields["name"])
    except ValidationError as error:
        raise Invalid(
            "A name is 1 to 100 letters, digits, dots, dashes and underscores.",
            faults=[Fault("name_invalid", fields["name"][:100], "/name")],
        ) from error


def _checked(validate: Callable[[], Shape]) -> Shape:
    try:
        return validate()
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise RequestValidationError(
            [wrong | {"loc": ("body", *wrong["loc"])} for wrong in found]
        ) from error


async def _bounded(request: Request) -> bytes:
    """The body, which has to be held whole because it is one JSON document."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_JSON_BYTES:
            raise TooLarge(
                f"A JSON body may have {MAX_JSON_BYTES} bytes; upload larger sets as a file."
            )
    return bytes(body)


async def _slices(content: bytes) -> AsyncGenerator[bytes]:
    for start in range(0, len(content), BYTES_AT_ONCE):
        yield content[start : start + BYTES_AT_ONCE]
