"""The options that C{twistd edgegate} and C{edgegate check} share, from text to values."""

from __future__ import annotations


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
