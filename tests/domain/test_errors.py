"""The tree of errors: codes that are unique, and documented for those who meet them."""

from collections.abc import Iterator
from pathlib import Path

from app.domain.errors import LuthierError, Steer

DOCUMENTED = (Path(__file__).parents[2] / "docs" / "errors.md").read_text()


def leaves(kind: type[LuthierError]) -> Iterator[type[LuthierError]]:
    """Every error that has none below it."""
    below = kind.__subclasses__()
    if not below:
        yield kind
    for one in below:
        yield from leaves(one)


def test_every_code_is_documented() -> None:
    codes = [leaf.code for leaf in leaves(LuthierError)]
    assert len(set(codes)) == len(codes)
    assert [code for code in codes if f"`{code}`" not in DOCUMENTED] == []


def test_every_error_says_what_it_is() -> None:
    for leaf in leaves(LuthierError):
        assert leaf.__doc__
        assert leaf("why").detail == str(leaf("why")) == "why"


def test_the_three_words_are_no_errors_of_ours() -> None:
    assert not issubclass(Steer, LuthierError)
