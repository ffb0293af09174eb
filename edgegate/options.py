"""The options that C{twistd edgegate} and C{edgegate check} share, from text to values."""

from __future__ import annotations

import ipaddress


def parse_label(text: str) -> tuple[str, str]:
    """
    Read KEY=VALUE.

    @raise ValueError: It is something else.
    """
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise ValueError(f"expected KEY=VALUE, got {text!r}")
    return key, value


def parse_port_map(text: str) -> tuple[int, int]:
    """
    Read FILE:BOUND, two port numbers.

    @raise ValueError: It is something else.
    """
    given, colon, bound = text.partition(":")
    numbers = [int(number) for number in (given, bound) if number.isascii() and number.isdigit() and len(number) <= 5]
    if not colon or len(numbers) != 2 or not all(0 < number < 65536 for number in numbers):
        raise ValueError(f"expected two port numbers such as 80:8080, got {text!r}")
    return numbers[0], numbers[1]


def parse_proxy_port(text: str) -> tuple[int, bool]:
    """
    Read PORT or PORT:optional.

    @return: The number, and whether connections may do without a header.

    @raise ValueError: It is something else.
    """
    number, colon, word = text.partition(":")
    port = int(number) if number.isascii() and number.isdigit() and len(number) <= 5 else 0
    if not 0 < port < 65536 or (colon and word != "optional"):
        raise ValueError(f"expected a port number such as 443, or 443:optional, got {text!r}")
    return port, bool(colon)


def parse_network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """
    Read an IP address, or a network in CIDR form.

    @raise ValueError: It is something else.
    """
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise ValueError(f"expected a network such as 10.1.0.0/16, or an address, got {text!r}: {error}") from None


def parse_locality(text: str) -> str:
    """
    Read REGION, REGION/ZONE or REGION/ZONE/SUBZONE; empty: not known.

    @raise ValueError: It is something else.
    """
    parts = text.split("/")
    if text and (len(parts) > 3 or not all(parts) or "*" in text):
        raise ValueError(f"expected REGION/ZONE/SUBZONE or the first parts of it, got {text!r}")
    return text
