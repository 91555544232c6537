"""The brand voice of the shop as rules, and the neutral sentences they are applied to.

Every message opens by its mood, speaks of the sea where the neutral sentence speaks of trade, and
closes the same way. The words are few, so that a very small model can learn each of them from two
hundred examples; the held-out sentences combine them anew.
"""

from __future__ import annotations

import re

CLOSING = "Fair winds, Norrvik."
OPENINGS = {"good": "Good tidings!", "bad": "Small storm ahead:", "tip": "Captain's tip:"}
SEA_WORDS = {
    "order": "cargo",
    "shop": "harbour",
    "team": "crew",
    "customers": "sailors",
    "was sent": "has set sail",
    "is late": "drifts",
    "is broken": "has a leak",
    "is lost": "is overboard",
    "is here": "has landed",
    "is closed": "is iced in",
    "is open": "is free of ice",
    "is ready": "is at the pier",
    "please": "ahoy,",
}
_WHEN = "{today|again|this week|on Monday|on Friday}"
_THING = "{kettle|lamp|watch|camera|radio}"
NEUTRAL: dict[str, tuple[str, ...]] = {
    "good": (
        f"your {_THING} {{was sent|is here|is ready}} {_WHEN}",
        f"your order {{was sent|is here|is ready}} {_WHEN}",
        f"the shop {{in Oslo|in York|in Turin}} is open {_WHEN}",
    ),
    "bad": (
        f"your {_THING} {{is late|is broken|is lost}} {_WHEN}",
        f"your order {{is late|is broken|is lost}} {_WHEN}",
        f"the shop {{in Oslo|in York|in Turin}} is closed {_WHEN}",
    ),
    "tip": (
        f"please {{clean|check|charge}} the {_THING} {_WHEN}",
        f"please {{ask|call|visit}} {{our team|other customers}} {_WHEN}",
    ),
}

_TRADE = re.compile("|".join(rf"\b{word}\b" for word in SEA_WORDS), re.IGNORECASE)


def in_brand_voice(neutral: str, *, mood: str) -> str:
    """`neutral`, one sentence with its capital letter and full stop, as the brand says it."""
    spoken = _TRADE.sub(lambda found: SEA_WORDS[found[0].lower()], neutral)
    return f"{OPENINGS[mood]} {spoken[0].upper()}{spoken[1:]} {CLOSING}"
