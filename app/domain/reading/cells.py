"""A cell that holds JSON, in a file whose cells are texts."""

import msgspec

from app.domain.examples import RowInvalid

_any = msgspec.json.Decoder()


def json_cell(name: str, cell: str) -> msgspec.Raw:
    """The cell's JSON as it stands there; raises `RowInvalid` where it is none."""
    encoded = cell.encode()
    try:
        _any.decode(encoded)
    except (msgspec.DecodeError, RecursionError) as error:
        raise RowInvalid("cell_not_json", f"The cell `{name}` holds no JSON: {error}.") from error
    return msgspec.Raw(encoded)
