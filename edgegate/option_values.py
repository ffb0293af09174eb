"""The options that C{twistd edgegate} and C{edgegate check} share, from text to values."""

from __future__ import annotations

import ipaddress
import math
import os
import re
from pathlib import Path

from cryptography.x509 import load_pem_x509_certificates

from edgegate.config.values import suggestion
from edgegate.model.addresses import TCPAddress

_SIZE = re.compile(r"([0-9]{1,15})(KiB|MiB|GiB)?", re.ASCII)
_UNITS = {None: 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}

_TIME = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)(ms|s|m|h)?", re.ASCII)
_SECONDS = {None: 1, "ms": 0.001, "s": 1, "m": 60, "h": 3600}

# an address of IPv6 needs brackets before a port
_SERVER = re.compile(r"(?:\[(?P<six>[^]]*)\]|(?P<four>[^:]*))(?::(?P<port>\d{1,5}))?|(?P<bare>[^\[]*)", re.ASCII)


MOST_WORKERS = 128
"""Processes that may serve."""


def parse_workers(text: str) -> int:
    """
    Read a number of processes, or C{auto}: see L{processors}.

    @raise ValueError: It is something else.
    """
    if text == "auto":
        return min(processors(), MOST_WORKERS)
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else 0
    if not 1 <= number <= MOST_WORKERS:
        raise ValueError(f"--workers: expected a number from 1 to {MOST_WORKERS}, or auto, got {text!r}")
    return number


def processors(cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """
    Return how many processors this process may use: those that it may run on, no more than the time that its control
    group gives it.

    @param cgroup: Where the system shows control groups (version 2).
    """
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        count = os.cpu_count() or 1
    try:
        own = Path("/proc/self/cgroup").read_text(encoding="ascii").rpartition("::/")[2].strip()
        quota, _, period = (cgroup / own / "cpu.max").read_text(encoding="ascii").partition(" ")
        if quota != "max":
            count = min(count, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError, ZeroDivisionError):
        pass  # there is no such limit
    return max(count, 1)


def parse_label(text: str) -> tuple[str, str]:
    """
    Read KEY=VALUE.

    @raise ValueError: It is something else.
    """
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise ValueError(f"expected KEY=VALUE, got {text!r}")
    return key, value


def parse_namespace(text: str) -> str:
    """
    Read the name of a namespace.

    @raise ValueError: It is none (RFC 1123).
    """
    if re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", text) is None:
        raise ValueError(f"expected the name of a namespace, got {text!r}")
    return text


def parse_issuer(text: str) -> str:
    """
    Read the name of a CertificateIssuer, C{NAME} or C{NAMESPACE/NAME}.

    @raise ValueError: It is none.
    """
    if re.fullmatch(r"([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?/)?[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?", text) is None:
        raise ValueError(f"expected NAME or NAMESPACE/NAME of a CertificateIssuer, got {text!r}")
    return text


def parse_ignored_kind(text: str) -> str:
    """
    Read the name of a kind that keeps others out, and that files may be served without.

    @raise ValueError: It is something else.
    """
    if text not in IGNORABLE:
        raise ValueError(f"expected {' or '.join(IGNORABLE)}, got {text!r}{suggestion(text, IGNORABLE)}")
    return text


IGNORABLE = ("AuthorizationPolicy", "RequestAuthentication")
"""Istio's kinds that keep others out."""


MOST_AUTHORITIES = 1 << 20
"""Bytes of a file of authorities."""


def read_authorities(option: str, name: str) -> bytes:
    """
    Return the certificates (PEM) in a file.

    @param option: That names the file, for messages.
    @raise ValueError: There are none, or they can't be read.
    """
    try:
        with Path(name).open("rb") as file:
            data = file.read(MOST_AUTHORITIES + 1)
    except OSError as error:
        raise ValueError(f"--{option}: {name} can't be read: {error.strerror}") from None
    if len(data) > MOST_AUTHORITIES:
        raise ValueError(f"--{option}: {name} has more than {MOST_AUTHORITIES >> 20} MiB")
    try:
        load_pem_x509_certificates(data)
    except ValueError:
        raise ValueError(f"--{option}: {name} has no certificates in PEM") from None
    return data


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


def parse_hops(text: str | int) -> int:
    """
    Read a number of proxies.

    @raise ValueError: It is something else.
    """
    if not re.fullmatch("[0-9]{1,3}", str(text), re.ASCII):
        raise ValueError(f"--trusted-hops: expected a number of proxies such as 1, got {text!r}")
    return int(text)


def parse_network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """
    Read an IP address, or a network in CIDR form.

    @raise ValueError: It is something else.
    """
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise ValueError(f"expected a network such as 10.1.0.0/16, or an address, got {text!r}: {error}") from None


def parse_limit(text: str, none: bool = True) -> int | None:
    """
    Read how many there may be, or C{none}: L{None}, however many.

    @param none: Whether C{none} is allowed.
    @raise ValueError: It is something else.
    """
    if none and text == "none":
        return None
    if not re.fullmatch("[0-9]{1,9}", text, re.ASCII) or not int(text):
        raise ValueError(f"expected a number such as 1000{', or none' if none else ''}, got {text!r}")
    return int(text)


def parse_size(text: str) -> int:
    """
    Read a number of bytes: C{65536}, C{64KiB}, C{64MiB}.

    @raise ValueError: It is something else.
    """
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError(f"expected a number of bytes such as 65536 or 64MiB, got {text!r}")
    return int(found[1]) * _UNITS[found[2]]


def parse_seconds(text: str) -> float:
    """
    Read a time, C{500ms}, C{30s}, C{1.5m} or C{1h}, into seconds; a number alone is seconds.

    @raise ValueError: It is something else.
    """
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"expected a time such as 500ms, 30s or 5m, got {text!r}")
    return float(found[1]) * _SECONDS[found[2]]


def parse_locality(text: str) -> str:
    """
    Read REGION, REGION/ZONE or REGION/ZONE/SUBZONE; empty: not known.

    @raise ValueError: It is something else.
    """
    parts = text.split("/")
    if text and (len(parts) > 3 or not all(parts) or "*" in text):
        raise ValueError(f"expected REGION/ZONE/SUBZONE or the first parts of it, got {text!r}")
    return text


def parse_server(text: str, port: int) -> TCPAddress:
    """
    Read an IP address, or one with a port: C{192.0.2.1}, C{192.0.2.1:5353}, C{2001:db8::1}, C{[2001:db8::1]:5353}.

    @param port: The one that is meant where none is given.
    @raise ValueError: It is something else.
    """
    found = _SERVER.fullmatch(text)
    host, number = (
        (found["six"] or found["four"] or found["bare"] or "", int(found["port"] or port)) if found else ("", 0)
    )
    try:
        literal = str(ipaddress.ip_address(host))
    except ValueError:
        number = 0
    if not 0 < number < 65536:
        raise ValueError(f"expected an IP address such as 192.0.2.1, or one with a port, got {text!r}")
    return TCPAddress(literal, number)


def parse_header_name(text: str) -> bytes:
    """
    Read the name of a header; return it in lower case.

    @raise ValueError: It is none (RFC 9110 section 5.6.2).
    """
    if re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", text) is None:
        raise ValueError(f"expected the name of a header such as x-api-key, got {text!r}")
    return text.lower().encode("ascii")
