"""How vendors do while a storm rages: a share of their answers goes wrong, each time another."""

from collections.abc import Mapping

from app.sandbox.frame.faults import Failure, Fault, Reset, too_many_requests
from tests.conformance.simulated_stage import Simulated

SHARES = (0.05, 0.15, 0.30)

FAULTS: tuple[Fault, ...] = (
    Failure(status=500),
    Failure(status=502, after_effect=True),
    Reset(during="effect"),
    Reset(during="answer"),
    too_many_requests(seconds=1),
)

ALWAYS = 1_000_000_000
"""As `times` of an order: more requests than there will be."""


class Weather:
    """The vendors; in each of three parts another one does worst, in what it reads or writes."""

    def __init__(self, vendors: Mapping[str, Simulated]) -> None:
        self._vendors = vendors
        self._raged: dict[str, int] = {}

    def turn(self, part: int) -> None:
        """Begin a part: each vendor fails one share of what it reads, and one of what it writes."""
        for place, vendor in enumerate(self._vendors.values(), start=part):
            vendor.withdraw()
            _spoil(vendor, ("GET",), SHARES[place % 3])
            _spoil(vendor, ("POST", "PUT"), SHARES[(place + 1) % 3])

    def calm_down(self) -> None:
        """Fail at the lowest share from here on, as vendors do."""
        for name, vendor in self._vendors.items():
            self._raged[name] = len(vendor.requests)
            vendor.withdraw()
            _spoil(vendor, ("*",), SHARES[0])

    def figures(self) -> Mapping[str, tuple[int, int, int]]:
        """For each vendor: requests, those until it calmed down, and how many of these failed."""
        return {name: self._of(name) for name in self._vendors}

    def _of(self, name: str) -> tuple[int, int, int]:
        requests, raged = self._vendors[name].requests, self._raged[name]
        return len(requests), raged, sum(seen.fault is not None for seen in requests[:raged])


def _spoil(vendor: Simulated, methods: tuple[str, ...], share: float) -> None:
    """All faults alike; an order gets only what those before it have let by."""
    each = share / len(FAULTS)
    for method in methods:
        for place, fault in enumerate(FAULTS):
            rest = each / (1 - place * each)
            vendor.order(fault, "*", method=method, times=ALWAYS, share=rest)
