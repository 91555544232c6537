"""Cards in themselves: hashes, differences, and Markdown that nothing breaks out of."""

import hashlib

from app.domain.cards.differences import Change, differences
from app.domain.provenance import RowHashes


def test_rows_have_the_same_hash_whatever_frames_them() -> None:
    plain, framed = RowHashes(b""), RowHashes(b"\xef\xbb\xbf")
    for hashes in (plain, framed):
        hashes.feed([b"a", b"b"])

    pair = hashlib.sha256(b"a").digest() + hashlib.sha256(b"b").digest()
    assert plain.rows_sha256 == framed.rows_sha256 == hashlib.sha256(pair).hexdigest()
    assert plain.sha256 == hashlib.sha256(b"a\nb\n").hexdigest() != framed.sha256
    assert (plain.bytes, framed.bytes) == (4, 7)


def test_the_order_of_rows_counts() -> None:
    one, other = RowHashes(b""), RowHashes(b"")
    one.feed([b"a", b"b"])
    other.feed([b"b", b"a"])

    assert one.rows_sha256 != other.rows_sha256


def test_differences_are_told_by_pointer() -> None:
    before = {"same": 1, "a/b": {"~": [1, 2]}, "gone": True}
    after = {"same": 1, "a/b": {"~": [1, 3, 4]}, "new": None, "other": "x"}

    assert list(differences(before, after)) == [
        Change("/a~1b/~0/1", 2, 3),
        Change("/a~1b/~0/2", None, 4),
        Change("/gone", True, None),
        Change("/other", None, "x"),
    ]


def test_what_one_side_lacks_is_told_value_by_value() -> None:
    assert list(differences({"a": None, "c": 1}, {"a": {"b": [7]}, "c": {"d": 2}})) == [
        Change("/a/b/0", None, 7),
        Change("/c/d", None, 2),
        Change("/c", 1, None),
    ]
    assert list(differences({"a": None}, {"a": {}, "b": []})) == []


def test_equal_values_of_unlike_kinds_differ() -> None:
    assert list(differences({"n": 1}, {"n": True})) == [Change("/n", 1, True)]
    assert list(differences({"n": 1}, {"n": 1.0})) == []
