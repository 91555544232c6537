"""Which IP addresses a request to the outside may reach: decided on addresses, never on names."""

from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# The tables are our own because those of `ipaddress` differ between releases of Python. Source:
# the registries of special-purpose addresses that IANA keeps (RFC 6890 and what updates it).
_NOT_PUBLIC: tuple[Network, ...] = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # behind a carrier's address translation
            "127.0.0.0/8",  # loopback
            "168.63.129.16/32",  # what Azure answers every machine of its own on
            "169.254.0.0/16",  # link-local, with the metadata of most clouds
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # relays from 6to4, abandoned
            "192.168.0.0/16",  # private
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
            "2001::/23",  # protocol assignments
            "2001:db8::/32",  # documentation
            "3fff::/20",  # documentation
        ),
    )
)

_GLOBAL_V6 = IPv6Network("2000::/3")
"""The one block that global unicast is given out of; all else is local, reserved or multicast."""

_NAT64 = IPv6Network("64:ff9b::/96")


def parse_address(text: str) -> Address:
    """The address in the text of a resolver's answer; raises `ValueError`."""
    return ip_address(text)


def may_reach(address: Address, opened: Sequence[Network] = ()) -> bool:
    """Whether an address is global unicast, or in one of the networks the operator opened.

    An IPv6 address that only carries IPv4 addresses is judged by those.
    """
    if _has_zone(address):
        return False
    return is_opened(address, opened) or all(
        _is_public(one) or _is_in(one, opened) for one in _carried(address)
    )


def is_opened(address: Address, opened: Sequence[Network]) -> bool:
    """Whether the operator opened the network of an address."""
    return not _has_zone(address) and (
        _is_in(address, opened) or all(_is_in(one, opened) for one in _carried(address))
    )


def _carried(address: Address) -> tuple[Address, ...]:
    """The IPv4 addresses that a packet to this address ends at or goes through; else itself."""
    if isinstance(address, IPv4Address):
        return (address,)
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address in _NAT64:
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    return address.teredo or (address,)


def _is_public(address: Address) -> bool:
    is_unicast = isinstance(address, IPv4Address) or address in _GLOBAL_V6
    return is_unicast and not _is_in(address, _NOT_PUBLIC)


def _is_in(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def _has_zone(address: Address) -> bool:
    """A zone names an interface of this machine, which only local addresses need."""
    return isinstance(address, IPv6Address) and address.scope_id is not None
