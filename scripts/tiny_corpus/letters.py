"""Letters of customers: a clause that carries the matter, and the words people put around it."""

from __future__ import annotations

from random import Random

from tiny_corpus.grammar import draw, sentence
from tiny_corpus.world import WORDS

OPENERS = (
    "hello",
    "hi",
    "dear {team|$name|support}",
    "good {morning|evening}",
    "hello {from $city|again}",
    "i {bought|ordered} {a|the} $product {in $month|on $day|last week|for $person}",
    "this is about {order $order|my last order|the $colour $product|my $product}",
    "{i have a question|one more thing|a short note|just to let you know}",
    "order $order",
    "it is {$day|$month} now",
    "i like {your shop|the $colour $product|the design}",
    "i write to you for $person",
    "{i am a customer|we buy from you} since $month",
    "the $product is for {the $room|$person}",
)
CLOSERS = (
    "{please help|please check this|please look into it|please answer soon}",
    "{thanks|thank you in advance|best wishes|kind regards}",
    "{regards|greetings|yours}, $name",
    "{what can i do|what now|can you help|any idea}?",
    "my order number is $order",
    "{i live in|we are in|greetings from} $city",
    "{call me|write to me|answer me} {on $day|this week|today}",
    "it is the $colour {one|model}",
    "$person {said|thinks} so too",
    "that is all",
)


def letter(clauses: tuple[str, ...], random: Random, *, product: str = "") -> str:
    """One letter about one matter, as a customer writes it; about `product` if one is named."""
    about = product or random.choice(WORDS["product"])
    parts = [_clause(random.choice(clauses), random, product=about)]
    if random.random() < 0.55:
        parts.insert(0, draw(random.choice(OPENERS), random, product=about))
    if random.random() < 0.4:
        parts.append(draw(random.choice(CLOSERS), random, product=about))
    text = " ".join(sentence(part) for part in parts)
    return text.lower() if random.random() < 0.1 else text


def _clause(template: str, random: Random, *, product: str) -> str:
    clause = draw(template, random, product=product)
    if random.random() < 0.12:
        clause = draw("{sadly|unfortunately|honestly|well|so|again|now}, ", random) + clause
    if random.random() < 0.06:
        clause += "!"
    return clause
