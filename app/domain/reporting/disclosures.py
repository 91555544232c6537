"""Personal data and secrets that have a shape; a report names their lines, never their text."""

import re
from collections.abc import Callable, Iterator, Mapping

from app.domain.reporting.findings import Finding, Lines, Severity

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.)+[a-z]{2,24}\b", re.IGNORECASE)
_RESERVED = re.compile(r"(?:[@.]example\.(?:com|net|org)|\.(?:example|invalid|test))$", re.I)
"""RFC 2606 keeps these names for documentation: nobody lives there."""

_NUMBER = re.compile(r"[+(\d][\d ()./-]{6,38}")
"""Where a telephone or card number may be; beginning with a set of characters makes it fast."""

_PHONE = re.compile(r"(?:\+|00|\(?0)[1-9(](?:[ ()./-]{0,2}\d){6,13}(?![\w-]|[.,]\d)")
_NANP = re.compile(r"(?:\(\d{3}\) ?|\d{3}[-.])\d{3}[-.]\d{4}(?![\w-])")
_CARD = re.compile(r"\d(?:[ -]?\d){12,18}(?![\w-]|\.\d)")
_IBAN = re.compile(r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)")
_INSIDE = re.compile(r"[\w+.-]")
"""Before a number: it is the rest of something longer."""

_SECRET = re.compile(
    r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"  # Amazon
    r"|\bAIza[0-9A-Za-z_-]{35}"  # Google
    r"|\bgh[pousr]_[0-9A-Za-z]{36,}|\bgithub_pat_[0-9A-Za-z_]{60,}"
    r"|\bglpat-[0-9A-Za-z_-]{20,}"  # GitLab
    r"|\bsk-(?=[A-Za-z_-]{0,64}\d)[0-9A-Za-z_-]{20,}"  # OpenAI, Anthropic and many after them
    r"|\b[rs]k_(?:live|test)_[0-9A-Za-z]{16,}"  # Stripe
    r"|\bxox[abeoprs]-[0-9A-Za-z-]{10,}"  # Slack
    r"|\bhf_[0-9A-Za-z]{30,}"  # Hugging Face
    r"|\bSG\.[\w-]{20,24}\.[\w-]{40,}"  # SendGrid
    r"|\b(?:npm|dop_v1|shpat)_[0-9A-Za-z]{32,}"
    r"|\beyJ[\w-]{10,300}\.eyJ[\w-]{10,4000}\.[\w-]{10,}"  # JSON Web Token
    r"|\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@]{1,64}:[^\s:/@]{3,64}@[\w.-]+"  # password in a URL
)

_PRIVATE_KEY = re.compile(
    r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"
    r"(?:(?:(?!-----BEGIN)[\s\S])*?-----END (?:[A-Z]+ )*PRIVATE KEY-----"
    r"|(?:(?:\s|\\[nr])*[A-Za-z0-9+/=]{20,})*)"
)
"""The whole key: up to its end, or as far as its lines go where that is missing."""

_SECRET_HINTS = (
    *("PRIVATE KEY", "AKIA", "ASIA", "AIza", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
    *("glpat-", "sk-", "k_live_", "k_test_", "xox", "hf_", "SG.", "npm_", "dop_v1_", "shpat_"),
    *("eyJ", "://"),
)
"""One of these is in every text that the pattern matches; looking for them is much cheaper."""

_ADVICE = (
    "Replace it by an invented one of the same shape, drop the line, or let POST "
    "/datasets/{ref}/redact put a label there: what a model has learned it can say to anybody, and "
    "it cannot be taken back."
)


Span = tuple[int, int]
"""Where in a text something begins and ends."""


class Disclosures:
    """Looks for shapes of personal data and secrets in every text of an example."""

    def __init__(self) -> None:
        self._lines = {code: Lines() for code, _, _, _ in _KINDS}

    def see(self, line: int, texts: list[str]) -> None:
        """Look at one example."""
        whole = "\n".join(texts)
        for code, _, _, find in _KINDS:
            if any(find(whole)):
                self._lines[code].add(line)

    def findings(self) -> list[Finding]:
        """One finding for each kind."""
        return [
            finding
            for code, severity, what, _ in _KINDS
            for finding in self._lines[code].finding(
                code, severity, f"{{}} examples have what looks like {what}.", advice=_ADVICE
            )
        ]


def find_emails(text: str) -> Iterator[Span]:
    """E-mail addresses, but for those that are reserved for documentation."""
    if "@" in text:
        for match in _EMAIL.finditer(text):
            if not _RESERVED.search(match[0]):
                yield match.span()


def find_phones(text: str) -> Iterator[Span]:
    """Telephone numbers: with a country code or trunk zero, or in the North American form."""
    for at in _numbers(text):
        match = _PHONE.match(text, at) or _NANP.match(text, at)
        if match:
            yield match.span()


def find_cards(text: str) -> Iterator[Span]:
    """Card numbers of a known network whose check digit is right (ISO/IEC 7812, Luhn)."""
    for at in _numbers(text):
        match = _CARD.match(text, at)
        if match and is_card(re.sub("[ -]", "", match[0])):
            yield match.span()


def find_ibans(text: str) -> Iterator[Span]:
    """Account numbers whose check digits are right (ISO 13616, mod 97)."""
    for match in _IBAN.finditer(text):
        if not _is_inside(text, match.start()) and is_iban(match[0].replace(" ", "")):
            yield match.span()


def find_secrets(text: str) -> Iterator[Span]:
    """Keys and tokens whose shape gives away whose they are."""
    if any(hint in text for hint in _SECRET_HINTS):
        for match in _SECRET.finditer(text):
            key = _PRIVATE_KEY.match(text, match.start())
            yield match.span() if key is None else key.span()


def is_iban(compact: str) -> bool:
    """Whether letters and digits without spaces are a valid IBAN."""
    if not 15 <= len(compact) <= 34:
        return False
    turned = compact[4:] + compact[:4]
    return int("".join(str(int(letter, 36)) for letter in turned)) % 97 == 1


def is_card(digits: str) -> bool:
    """Whether digits are a card's: their beginning is a network's, their sum is Luhn's."""
    if digits[0] not in "23456" or not 13 <= len(digits) <= 19:
        return False
    doubled = [int(digit) * 2 for digit in digits[-2::-2]]
    total = sum(int(digit) for digit in digits[-1::-2])
    return (total + sum(number - 9 if number > 9 else number for number in doubled)) % 10 == 0


def _numbers(text: str) -> Iterator[int]:
    """Where something begins that may be a telephone or card number."""
    if not any(digit in text for digit in "0123456789"):
        return
    for match in _NUMBER.finditer(text):
        for at in range(match.start(), match.end()):
            if text[at] in "+(0123456789" and not _is_inside(text, at):
                yield at


def _is_inside(text: str, at: int) -> bool:
    return at > 0 and _INSIDE.match(text[at - 1]) is not None


_KINDS: tuple[tuple[str, Severity, str, Callable[[str], Iterator[Span]]], ...] = (
    ("secrets", Severity.ERROR, "a key, a token or a password", find_secrets),
    ("personal_cards", Severity.ERROR, "a payment card's number", find_cards),
    ("personal_ibans", Severity.ERROR, "a bank account's number (IBAN)", find_ibans),
    ("personal_emails", Severity.WARNING, "somebody's e-mail address", find_emails),
    ("personal_phones", Severity.WARNING, "somebody's telephone number", find_phones),
)

FINDERS: Mapping[str, Callable[[str], Iterator[Span]]] = {code: find for code, _, _, find in _KINDS}
"""What finds each kind, those first that others may be part of."""
