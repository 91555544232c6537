"""Personal data and secrets that have a shape; a report names their lines, never their text."""

import re
from collections.abc import Callable, Iterator

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

_SECRET_HINTS = (
    *("PRIVATE KEY", "AKIA", "ASIA", "AIza", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
    *("glpat-", "sk-", "k_live_", "k_test_", "xox", "hf_", "SG.", "npm_", "dop_v1_", "shpat_"),
    *("eyJ", "://"),
)
"""One of these is in every text that the pattern matches; looking for them is much cheaper."""

_ADVICE = (
    "Replace it by an invented one of the same shape, or drop the line: what a model has learned "
    "it can say to anybody, and it cannot be taken back."
)


class Disclosures:
    """Looks for shapes of personal data and secrets in every text of an example."""

    def __init__(self) -> None:
        self._lines = {code: Lines() for code, _, _, _ in _KINDS}

    def see(self, line: int, texts: list[str]) -> None:
        """Look at one example."""
        whole = "\n".join(texts)
        for code, _, _, is_in in _KINDS:
            if is_in(whole):
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


def has_email(text: str) -> bool:
    """An e-mail address that is not one reserved for documentation."""
    if "@" not in text:
        return False
    return any(not _RESERVED.search(match[0]) for match in _EMAIL.finditer(text))


def has_phone(text: str) -> bool:
    """A telephone number: with a country code or trunk zero, or in the North American form."""
    return any(_PHONE.match(text, at) or _NANP.match(text, at) for at in _numbers(text))


def has_card(text: str) -> bool:
    """A card number of a known network whose check digit is right (ISO/IEC 7812, Luhn)."""
    found = (_CARD.match(text, at) for at in _numbers(text))
    return any(match and is_card(re.sub("[ -]", "", match[0])) for match in found)


def has_iban(text: str) -> bool:
    """An account number whose check digits are right (ISO 13616, mod 97)."""
    found = (match for match in _IBAN.finditer(text) if not _is_inside(text, match.start()))
    return any(is_iban(match[0].replace(" ", "")) for match in found)


def has_secret(text: str) -> bool:
    """A key or token whose shape gives away whose it is."""
    return any(hint in text for hint in _SECRET_HINTS) and _SECRET.search(text) is not None


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


_KINDS: tuple[tuple[str, Severity, str, Callable[[str], bool]], ...] = (
    ("secrets", Severity.ERROR, "a key, a token or a password", has_secret),
    ("personal_cards", Severity.ERROR, "a payment card's number", has_card),
    ("personal_ibans", Severity.ERROR, "a bank account's number (IBAN)", has_iban),
    ("personal_emails", Severity.WARNING, "somebody's e-mail address", has_email),
    ("personal_phones", Severity.WARNING, "somebody's telephone number", has_phone),
)
