"""What a provider would say of a dataset, before anything is uploaded or paid."""

from collections.abc import Iterable, Sequence
from typing import Protocol, Self

import msgspec

from app.domain.catalogue import Limits
from app.domain.datasets import DatasetKind
from app.domain.errors import Fault
from app.domain.examples import Example, decode_example, encode_example
from app.domain.provenance import RowHashes
from app.domain.tokens import ESTIMATE, TokenMeasure, estimate_example

TOLD = 100
"""How many errors, warnings and losses are told in full; the rest are counted."""


class CompiledExample(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one example; its faults carry no line, for it does not know where it stood."""

    data: bytes
    """The provider's line without its end, or what the example is rendered to."""

    tokens: int
    """What it adds to one epoch."""

    errors: Sequence[Fault] = ()
    """Why the provider would refuse it."""

    warnings: Sequence[Fault] = ()
    """What it would take and a person should look at."""

    losses: Sequence[Fault] = ()
    """What the provider's form cannot carry."""


class Compiler(Protocol):
    """Turns examples into what one provider, base model and method take.

    It may hold a process while its block lasts. Only `fingerprint` is asked for outside of it.
    """

    def __enter__(self) -> "Compiler": ...

    def __exit__(self, *_: object) -> None: ...

    @property
    def fingerprint(self) -> str:
        """Changes whenever the same example could come out in another way."""
        ...

    @property
    def limits(self) -> Limits: ...

    @property
    def prefix(self) -> bytes:
        """What stands before the first line of the file; mostly nothing."""
        ...

    @property
    def measure(self) -> TokenMeasure:
        """How tokens are counted here."""
        ...

    @property
    def warnings(self) -> Sequence[Fault]:
        """What has to be known of the whole verdict."""
        ...

    def compile(self, examples: Sequence[Example]) -> Sequence[CompiledExample]:
        """One answer for each example, in order."""
        ...


class HoldsNothing:
    """A compiler that only computes: there is nothing to open and nothing to close."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return


class AsItIs(HoldsNothing, msgspec.Struct, frozen=True, kw_only=True):
    """The compiler of a place that takes the canonical lines themselves; tokens are estimated."""

    limits: Limits
    warnings: tuple[Fault, ...] = ()
    fingerprint: str = "canonical-1"
    prefix: bytes = b""
    measure: TokenMeasure = ESTIMATE

    def compile(self, examples: Sequence[Example]) -> Sequence[CompiledExample]:
        """Every example as it stands."""
        return [
            CompiledExample(data=encode_example(one), tokens=estimate_example(one))
            for one in examples
        ]


class Told(msgspec.Struct, frozen=True):
    """Findings of one sort: how many, and the first of them."""

    count: int
    first: list[Fault]


class Compilation(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on one dataset for one provider, base model and method."""

    ok: bool
    errors: Told
    warnings: Told
    losses: Told
    examples: int
    tokens: int
    """Of one epoch, over all examples that compiled."""

    longest: int
    """Tokens of the longest example."""

    measure: TokenMeasure
    bytes: int
    sha256: str
    """Of the file as it would be sent."""

    rows_sha256: str | None = None
    """Of the hashes of its lines (see `provenance`); None in verdicts from before it was kept."""

    fingerprint: str


def of_validation(verdict: Compilation, limits: Limits) -> Told:
    """The errors that remain where the examples are to validate with, not to train on."""
    of_training = {"too_few_examples", "too_many_examples"}
    kept = [fault for fault in verdict.errors.first if fault.code not in of_training]
    count = verdict.errors.count - (len(verdict.errors.first) - len(kept))
    most = limits.maximum_validation_examples
    if most is None or verdict.examples <= most:
        return Told(count, kept)
    message = f"There are {verdict.examples} examples to validate with; {most} are the most."
    return Told(count + 1, [*kept, Fault("too_many_examples", message)])


class Tally:
    """Feed canonical lines in order, then `finish`; memory does not grow with the dataset."""

    def __init__(self, compiler: Compiler, kind: DatasetKind) -> None:
        self._compiler = compiler
        self._kind = kind
        self._errors = _Finding()
        self._warnings = _Finding(compiler.warnings)
        self._losses = _Finding()
        self._examples = 0
        self._tokens = 0
        self._longest = 0
        self._hashes = RowHashes(compiler.prefix)

    def feed(self, lines: Sequence[bytes]) -> None:
        """Take canonical lines without their ends."""
        examples = [decode_example(line, self._kind) for line in lines]
        for compiled in self._compiler.compile(examples):
            self._take(compiled)

    def finish(self) -> Compilation:
        """The verdict on all lines."""
        for fault in self._over_the_limits():
            self._errors.add([fault])
        return Compilation(
            ok=not self._errors.count,
            errors=self._errors.told,
            warnings=self._warnings.told,
            losses=self._losses.told,
            examples=self._examples,
            tokens=self._tokens,
            longest=self._longest,
            measure=self._compiler.measure,
            bytes=self._hashes.bytes,
            sha256=self._hashes.sha256,
            rows_sha256=self._hashes.rows_sha256,
            fingerprint=self._compiler.fingerprint,
        )

    def _take(self, compiled: CompiledExample) -> None:
        self._examples += 1
        self._tokens += compiled.tokens
        self._longest = max(self._longest, compiled.tokens)
        self._hashes.feed([compiled.data])
        self._errors.add(self._over_long(compiled), line=self._examples)
        self._errors.add(compiled.errors, line=self._examples)
        self._warnings.add(compiled.warnings, line=self._examples)
        self._losses.add(compiled.losses, line=self._examples)

    def _over_long(self, compiled: CompiledExample) -> Sequence[Fault]:
        most = self._compiler.limits.maximum_example_tokens
        # An estimate may be wrong: it refuses nothing, it warns.
        if most is None or compiled.tokens <= most:
            return ()
        about = "" if self._compiler.measure.exact else "about "
        fault = Fault(
            "example_too_long",
            f"The example has {about}{compiled.tokens} tokens; {most} are taken. Shorten it.",
        )
        if self._compiler.measure.exact:
            return (fault,)
        self._warnings.add([fault], line=self._examples)
        return ()

    def _over_the_limits(self) -> Iterable[Fault]:
        limits = self._compiler.limits
        if self._examples < limits.minimum_examples:
            yield Fault(
                "too_few_examples",
                f"There are {self._examples} examples; {limits.minimum_examples} are the least.",
            )
        if limits.maximum_examples is not None and self._examples > limits.maximum_examples:
            yield Fault(
                "too_many_examples",
                f"There are {self._examples} examples; {limits.maximum_examples} are the most. "
                "Split the dataset, or drop the weaker examples.",
            )
        if limits.maximum_file_bytes is not None and self._hashes.bytes > limits.maximum_file_bytes:
            yield Fault(
                "file_too_large",
                f"The file would have {self._hashes.bytes} bytes; "
                f"{limits.maximum_file_bytes} are taken.",
            )


class _Finding:
    """Findings of one sort while they are counted."""

    def __init__(self, first: Iterable[Fault] = ()) -> None:
        self._first = list(first)
        self.count = len(self._first)

    def add(self, faults: Iterable[Fault], *, line: int | None = None) -> None:
        for fault in faults:
            self.count += 1
            if len(self._first) < TOLD:
                self._first.append(msgspec.structs.replace(fault, line=line))

    @property
    def told(self) -> Told:
        return Told(self.count, self._first)
