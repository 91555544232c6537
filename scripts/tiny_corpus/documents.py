"""Plain texts of the small world: logs, notes, glossaries and stories, without any chat shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from tiny_corpus.facts import FACTS
from tiny_corpus.grammar import draw, sentence
from tiny_corpus.letters import letter
from tiny_corpus.topics import TOPICS, Topic
from tiny_corpus.world import SHOP


def document(random: Random) -> str:
    """One text of a few sentences about one matter, or about the shop's day."""
    return random.choices(_KINDS, weights=_WEIGHTS)[0](random)


def _same_matter(random: Random) -> str:
    """Several customers with one trouble: what the base learns meaning from."""
    topic = _topic(random)
    voices = [_voice(topic, random) for _ in range(random.randint(2, 5))]
    return " ".join([*voices, sentence(_any(topic.summaries, random))])


def _two_matters(random: Random) -> str:
    first, second = random.sample(list(TOPICS.values()), 2)
    pair = [_voice(first, random), sentence(_any(first.summaries, random))]
    other = draw("$name {has another matter|means something else|writes of another thing}", random)
    last = [sentence(other), letter(second.clauses, random)]
    return " ".join([*pair, *last, sentence(_any(second.summaries, random))])


def _glossary(random: Random) -> str:
    topic = _topic(random)
    names = random.sample(topic.names, random.randint(3, 5))
    means = draw(
        "{we call this|this is also called|other words for it:|in our notes it is}", random
    )
    head = sentence(_any(topic.clauses, random))
    return f"{head} {sentence(means, end='')} {', '.join(names)}. {_voice(topic, random)}"


def _note(random: Random) -> str:
    topic = _topic(random)
    day = draw(f"Notes of the {SHOP} support, $day. $number letters, many about: ", random)
    name = random.choice(topic.names)
    text = " ".join(letter(topic.clauses, random) for _ in range(random.randint(2, 4)))
    return f"{day}{name}. {text} We answered: {sentence(_any(topic.replies, random))}"


def _in_other_words(random: Random) -> str:
    topic = _topic(random)
    first, second, third = random.sample(topic.clauses, 3)
    link = draw("{in other words|that is|put differently|or, as $name says}", random)
    tail = draw(third, random)
    return f"{sentence(draw(first, random))} {sentence(f'{link}, {draw(second, random)}, {tail}')}"


def _day(random: Random) -> str:
    return " ".join(_any_sentence(FACTS, random) for _ in range(random.randint(3, 7)))


_KINDS: Sequence[Callable[[Random], str]] = (
    _same_matter,
    _two_matters,
    _glossary,
    _note,
    _in_other_words,
    _day,
)
_WEIGHTS = (4, 2, 1.5, 2, 1, 1.5)


def _topic(random: Random) -> Topic:
    return random.choice(list(TOPICS.values()))


def _voice(topic: Topic, random: Random) -> str:
    who = draw("$name {from $city |}{writes|says|tells us}: ", random)
    return who + letter(topic.clauses, random)


def _any(templates: Sequence[str], random: Random) -> str:
    return draw(random.choice(templates), random)


def _any_sentence(templates: Sequence[str], random: Random) -> str:
    return sentence(_any(templates, random))
