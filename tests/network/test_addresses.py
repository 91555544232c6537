"""Which addresses may be reached: public ones, whatever they are wrapped in."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis.strategies import integers, ip_addresses, sampled_from

from app.domain.addresses import is_opened, may_reach, parse_address

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.167.255.255",
    "223.255.255.255",
    "2001:200::1",
    "2606:4700:4700::1111",
    "2a00:1450:4001:800::200e",
]

PRIVATE = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.255",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::8.8.8.8",
    "64:ff9b:1::808:808",
    "100::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700:4700::1111%eth0",
    "fec0::1",
    "ff02::1",
]

WRAPPED: dict[str, Callable[[IPv4Address], IPv6Address]] = {
    "mapped": lambda inner: IPv6Address(0xFFFF << 32 | int(inner)),
    "NAT64": lambda inner: IPv6Address(0x0064FF9B << 96 | int(inner)),
    "6to4": lambda inner: IPv6Address(0x2002 << 112 | int(inner) << 80 | 1),
}


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_may_be_reached(address: str) -> None:
    assert may_reach(parse_address(address))


@pytest.mark.parametrize("address", PRIVATE)
def test_all_others_may_not(address: str) -> None:
    assert not may_reach(parse_address(address))


@given(ip_addresses(v=4), sampled_from(sorted(WRAPPED)))
def test_a_wrapped_address_is_judged_by_what_is_inside(inner: IPv4Address, how: str) -> None:
    assert may_reach(WRAPPED[how](inner)) is may_reach(inner)


@given(ip_addresses(v=4), ip_addresses(v=4), integers(0, 2**32 - 1))
def test_teredo_is_judged_by_its_server_and_its_client(
    server: IPv4Address, client: IPv4Address, flags: int
) -> None:
    hidden = int(client) ^ 0xFFFFFFFF
    address = IPv6Address(0x20010000 << 96 | int(server) << 64 | flags << 32 | hidden)
    assert may_reach(address) is (may_reach(server) and may_reach(client))


@given(ip_addresses(v=4))
def test_only_global_addresses_are_ever_reached(address: IPv4Address) -> None:
    is_local = address.is_private or address.is_loopback or address.is_link_local
    is_odd = address.is_multicast or address.is_reserved or address.is_unspecified
    assert not (may_reach(address) and (is_local or is_odd))


@given(ip_addresses(v=6))
def test_only_global_unicast_is_ever_reached(address: IPv6Address) -> None:
    if may_reach(address):
        assert address in ip_network("2000::/3") or may_reach(IPv4Address(int(address) % 2**32))


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", "fd12::7"])
def test_an_operator_opens_networks(address: str) -> None:
    opened = [ip_network("10.1.0.0/16"), ip_network("fd12::/64")]
    assert may_reach(parse_address(address), opened)
    assert is_opened(parse_address(address), opened)
    assert not may_reach(parse_address("10.2.0.1"), opened)
    assert not is_opened(parse_address("8.8.8.8"), opened)
