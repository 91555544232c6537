"""Whose turn it is: projects that wait at one provider are served one after the other."""

from collections.abc import Sequence


class Turns:
    """Remembers in which order this process served the projects at each provider."""

    def __init__(self) -> None:
        self._served: dict[tuple[str, str], int] = {}
        self._count = 0

    def order(self, provider: str, waiting: Sequence[str]) -> list[str]:
        """Those first that never had a turn, then those whose last one is longest ago."""
        return sorted(waiting, key=lambda project: self._served.get((provider, project), 0))

    def served(self, provider: str, project: str) -> None:
        """Note that the project just had its turn."""
        self._count += 1
        self._served[provider, project] = self._count
