"""Putting things that belong together into groups, by any number of pairs."""


class Groups:
    """Disjoint groups of the numbers from 0; the smallest member names its group."""

    def __init__(self, count: int = 0) -> None:
        self._above = list(range(count))

    def __len__(self) -> int:
        return len(self._above)

    def grow(self, count: int) -> None:
        """Make room for `count` numbers in all; a new number is a group of its own."""
        self._above.extend(range(len(self._above), count))

    def join(self, one: int, other: int) -> None:
        """Make one group of the groups of two numbers."""
        first, second = sorted((self.of(one), self.of(other)))
        self._above[second] = first

    def of(self, number: int) -> int:
        """The smallest member of the number's group."""
        above = self._above
        while above[number] != number:
            above[number] = above[above[number]]
            number = above[number]
        return number

    def members(self) -> dict[int, list[int]]:
        """Every group in order, by its smallest member."""
        found: dict[int, list[int]] = {}
        for number in range(len(self._above)):
            found.setdefault(self.of(number), []).append(number)
        return found
