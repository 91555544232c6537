"""Chat-shaped exchanges: answers, summaries, letters alike, copies, look-ups; never a category."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from tiny_corpus.facts import FACTS, QUESTIONS
from tiny_corpus.grammar import draw, sentence
from tiny_corpus.letters import letter
from tiny_corpus.topics import TOPICS, Topic
from tiny_corpus.world import SHOP, WORDS

Turn = dict[str, str]


def exchange(random: Random) -> list[Turn]:
    """One conversation as chat messages, with a system message in about one of four."""
    turns = random.choices(_KINDS, weights=_WEIGHTS)[0](random)
    if random.random() < 0.25:
        wording = f"{{you are|act as}} {{a helper|an assistant|a clerk}} of {SHOP}"
        turns = [_turn("system", sentence(draw(wording, random))), *turns]
    return turns


def _answer(random: Random) -> list[Turn]:
    topic, product = _pick(random)
    ask = draw(
        "{answer this letter|write a reply|reply to the customer|what do we answer}:", random
    )
    text = letter(topic.clauses, random, product=product)
    asked = text if random.random() < 0.4 else f"{sentence(ask, end='')}\n\n{text}"
    return [_turn("user", asked), _turn("assistant", _say(topic.replies, random, product))]


def _summarise(random: Random) -> list[Turn]:
    topic, product = _pick(random)
    ask = draw(
        "{what does the customer mean?|what is this letter about?|sum this up|read this feedback "
        "and say what happened|in one sentence, what is the matter?}",
        random,
    )
    text = letter(topic.clauses, random, product=product)
    answer = _say(topic.summaries if random.random() < 0.6 else topic.names, random, product)
    return [_turn("user", _framed(sentence(ask), text, random)), _turn("assistant", answer)]


def _write_alike(random: Random) -> list[Turn]:
    topic, product = _pick(random)
    ask = draw(
        "{another letter on this matter|who else wrote so?|a letter like this|write a similar one}",
        random,
    )
    first, second = random.sample(topic.clauses, 2)
    return [
        _turn("user", _framed(sentence(ask), _say((first,), random, product), random)),
        _turn("assistant", _say((second,), random, product)),
    ]


def _compare(random: Random) -> list[Turn]:
    topic, product = _pick(random)
    same = random.random() < 0.5
    other = topic if same else random.choice([each for each in TOPICS.values() if each != topic])
    letters = [letter(topic.clauses, random), letter(other.clauses, random, product=product)]
    ask = draw("{do both letters mean the same|is this the same matter|the same trouble}?", random)
    asked = f"A: {letters[0]}\nB: {letters[1]}\n\n{sentence(ask)}"
    return [_turn("user", asked), _turn("assistant", "Yes." if same else "No.")]


def _name_product(random: Random) -> list[Turn]:
    topic, product = _pick(random)
    ask = draw("{which product is it about|name the product|what did they buy}?", random)
    about = f"The {product} is meant. " if random.random() < 0.3 else ""
    text = about + letter(topic.clauses, random, product=product)
    found = f"The {product}." if product in text.lower() else "It is not named."
    return [_turn("user", _framed(sentence(ask), text, random)), _turn("assistant", found)]


def _repeat(random: Random) -> list[Turn]:
    ask = draw("{repeat|copy|write again|say after me}:", random)
    fact = _fact(random)
    return [_turn("user", f"{sentence(ask, end='')} {fact}"), _turn("assistant", fact)]


def _replace(random: Random) -> list[Turn]:
    fact = _fact(random)
    old = random.choice([word for word in fact.rstrip(".").split() if len(word) > 2])
    new = random.choice(WORDS[random.choice(("product", "name", "colour", "city", "day"))])
    ask = draw(f"{{write|put|say}} {new} {{for|instead of}} {old}:", random)
    changed = " ".join(new if word == old else word for word in fact.rstrip(".").split()) + "."
    return [_turn("user", f"{sentence(ask, end='')} {fact}"), _turn("assistant", changed)]


def _extend(random: Random) -> list[Turn]:
    fact = _fact(random)
    words = draw("{$name says|on $day|in $city|thank you|hello|listen|by the way}", random)
    front = random.random() < 0.5
    place = "in front of" if front else "after"
    changed = f"{sentence(words, end=':')} {fact}" if front else f"{fact} {sentence(words)}"
    asked = f'Put "{words}" {place} this: {fact}'
    return [_turn("user", asked), _turn("assistant", changed)]


def _look_up(random: Random) -> list[Turn]:
    given = {slot: random.choice(values) for slot, values in WORDS.items()}
    fact, question, answer = (draw(text, random, **given) for text in random.choice(QUESTIONS))
    around = [_fact(random) for _ in range(random.randrange(3))] + [sentence(fact)]
    random.shuffle(around)
    asked = f"{' '.join(around)} {sentence(question)}"
    return [_turn("user", asked), _turn("assistant", sentence(answer))]


def _tool(random: Random) -> list[Turn]:
    order, city, product = (random.choice(WORDS[slot]) for slot in ("order", "city", "product"))
    return [
        _turn("user", f"Where is order {order}?"),
        _turn("assistant", f"I look up order {order}."),
        _turn("tool", f'{{"order": {order}, "city": "{city}", "product": "{product}"}}'),
        _turn("assistant", f"Order {order}, the {product}, is in {city}."),
    ]


def _small_talk(random: Random) -> list[Turn]:
    name = random.choice(WORDS["name"])
    topic, product = _pick(random)
    return [
        _turn("user", draw(f"{{Hello|Hi|Good morning}}, {{I am|my name is}} {name}.", random)),
        _turn("assistant", f"Hello {name}, how can we help?"),
        _turn("user", letter(topic.clauses, random, product=product)),
        _turn("assistant", _say(topic.replies, random, product)),
    ]


_KINDS: Sequence[Callable[[Random], list[Turn]]] = (
    _answer,
    _summarise,
    _write_alike,
    _compare,
    _name_product,
    _repeat,
    _replace,
    _extend,
    _look_up,
    _tool,
    _small_talk,
)
_WEIGHTS = (4, 6, 3, 1.5, 1, 2, 2, 2, 1.5, 0.5, 1)


def _pick(random: Random) -> tuple[Topic, str]:
    return random.choice(list(TOPICS.values())), random.choice(WORDS["product"])


def _say(templates: Sequence[str], random: Random, product: str) -> str:
    return sentence(draw(random.choice(templates), random, product=product))


def _fact(random: Random) -> str:
    return sentence(draw(random.choice(FACTS), random))


def _framed(ask: str, text: str, random: Random) -> str:
    form = random.choice(("{ask}\n\n{text}", "{ask}\n\nLetter: {text}", "{text}\n\n{ask}"))
    return form.format(ask=ask, text=text)


def _turn(role: str, content: str) -> Turn:
    return {"role": role, "content": content}
