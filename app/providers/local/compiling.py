"""Examples as a local training sees them, rendered by the base model's own chat template.

The rendering is done by a process of its own (`measuring`), so that the service loads no
tokenizer library; it lives as long as the compiler is open.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import msgspec

from app.domain.catalogue import Limits
from app.domain.compiling import AsItIs, CompiledExample
from app.domain.errors import Fault
from app.domain.examples import Example, encode_example
from app.domain.jobs import Method
from app.domain.tokens import TokenMeasure
from app.providers import readiness
from app.providers.local import INSTALL, SPEC
from app.providers.local.base_models import LocalBaseModel
from app.providers.local.children import environment
from app.providers.local.hyperparameters import CPU_LENGTH
from app.providers.local.records import Measured, Ready

LIMITS = Limits(minimum_examples=10)

EXACT = TokenMeasure(name="the base model's tokenizer", exact=True, error=None)

_VERSION = "1"


class LocalCompiler:
    """What one base model's tokenizer makes of examples; the lines themselves stay canonical.

    Where the packages or the tokenizer are not to be had, tokens are estimated and a warning
    says so.
    """

    prefix = b""
    limits = LIMITS

    def __init__(self, base: LocalBaseModel, method: Method) -> None:
        self._base = base
        self._method = method
        self._limit = _length_limit(base, method)
        self._process: subprocess.Popen[bytes] | None = None
        self._unmeasured = _without_packages()

    def __enter__(self) -> Self:
        if self._unmeasured is None:
            self._process = _started(self._base.model, self._method.type, self._limit)
            problem = _first_word(self._process)
            if problem is not None:
                self._unmeasured = _unmeasured(
                    "tokenizer_unavailable",
                    f"The tokenizer of {self._base.name} cannot be loaded here: {problem} "
                    "Tokens are estimated.",
                )
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            # Its answers were read; nothing is left that it could save.
            self._process.kill()
            self._process.communicate()

    @property
    def fingerprint(self) -> str:
        if self._unmeasured is not None:
            return self._unmeasured.fingerprint
        model = f"{self._base.model}{_edition(self._base.model)}"
        return f"local-{_VERSION}:{model}:{self._method.type}:{self._limit}"

    @property
    def measure(self) -> TokenMeasure:
        """The base model's tokenizer and chat template: exact."""
        return EXACT if self._unmeasured is None else self._unmeasured.measure

    @property
    def warnings(self) -> Sequence[Fault]:
        return () if self._unmeasured is None else self._unmeasured.warnings

    def compile(self, examples: Sequence[Example]) -> Sequence[CompiledExample]:
        """One answer for each example; raises RuntimeError where the process died."""
        if self._unmeasured is not None:
            return self._unmeasured.compile(examples)
        lines = [encode_example(one) for one in examples]
        measured = msgspec.json.decode(self._ask(lines), type=list[Measured])
        return [self._compiled(*pair) for pair in zip(lines, measured, strict=True)]

    def _ask(self, lines: Sequence[bytes]) -> bytes:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"[" + b",".join(lines) + b"]\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("The process that renders examples has died.")
        return answer

    def _compiled(self, line: bytes, found: Measured) -> CompiledExample:
        errors = [Fault("unrenderable", found.error)] if found.error else []
        return CompiledExample(
            data=line, tokens=found.tokens, errors=errors, warnings=self._warnings_on(found)
        )

    def _warnings_on(self, found: Measured) -> list[Fault]:
        told: list[Fault] = []
        if found.length > self._limit:
            told.append(
                Fault(
                    "example_truncated",
                    f"The example has {found.length} tokens; the last {self._limit} of them are "
                    "trained on. Shorten it, or set max_length where the base model's context "
                    "allows it.",
                )
            )
        if found.last_turn_only:
            told.append(
                Fault(
                    "last_turn_only",
                    "The chat template rewrites earlier turns, so only the last answer is "
                    "learned. Give each earlier answer an example of its own.",
                )
            )
        if found.control_tokens:
            told.append(
                Fault(
                    "control_token_in_text",
                    f"The text holds {', '.join(found.control_tokens)}, which the base model "
                    "uses to mark turns. It is trained on as plain text; take it out unless "
                    "users will write it.",
                )
            )
        return told


def _without_packages() -> AsItIs | None:
    missing = readiness.missing_packages(SPEC)
    if not missing:
        return None
    problem = f"Without {', '.join(missing)} tokens are estimated and the chat template is unseen."
    return _unmeasured("packages_missing", f"{problem} {INSTALL}")


def _unmeasured(code: str, message: str) -> AsItIs:
    # No verdict without a tokenizer is to be kept for one with it.
    return AsItIs(
        limits=LIMITS, warnings=(Fault(code, message),), fingerprint=f"local-{_VERSION}:{code}"
    )


def _length_limit(base: LocalBaseModel, method: Method) -> int:
    asked = method.hyperparameters.get("max_length", "auto")
    wanted = asked if isinstance(asked, int) else CPU_LENGTH
    return min(wanted, base.context_length or wanted)


def _edition(model: str) -> str:
    """When a folder's tokenizer was last written; nothing for a model of the hub."""
    files = sorted(Path(model).glob("tokenizer*")) if Path(model).is_absolute() else []
    return "".join(f":{path.stat().st_mtime_ns}" for path in files)


def _started(model: str, method: str, limit: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "app.providers.local.measuring", model, method, str(limit)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
    )


def _first_word(process: subprocess.Popen[bytes]) -> str | None:
    """Why the process cannot render; None when it can."""
    assert process.stdout is not None
    said = process.stdout.readline()
    return msgspec.json.decode(said, type=Ready).error if said else "its process did not start."
