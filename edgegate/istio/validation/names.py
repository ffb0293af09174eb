"""Rules for names, ports and addresses, whichever kind they stand in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from ipaddress import ip_network

from edgegate.config.document import Path
from edgegate.config.values import show, suggestion
from edgegate.istio.validation.findings import Findings
from edgegate.model import codes
from edgegate.model.addresses import is_ip_address
from edgegate.model.hosts import normalise

MAX_LABEL = 63
UNIX = "unix://"

MAX_UNIX = 107
"""Bytes of the path of a UNIX socket that Linux can bind or connect (C{unix(7)})."""

HTTP_PROTOCOLS = frozenset({"HTTP", "HTTP2", "GRPC", "GRPC-WEB"})
SECURE_PROTOCOLS = frozenset({"HTTPS", "TLS"})
PROTOCOLS = ("HTTP", "HTTPS", "HTTP2", "GRPC", "GRPC-WEB", "TCP", "TLS", "MONGO", "REDIS", "MYSQL")
"""Protocols of a Gateway's port."""

_BITS = re.compile(r"0|[1-9][0-9]{0,2}")
_LABEL_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
_LABEL_PREFIX = re.compile(r"[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?")
_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?", re.IGNORECASE)
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2


def is_label(text: str) -> bool:
    """Whether a text is a DNS label (RFC 1123): names of namespaces, ports and subsets are."""
    return len(text) <= MAX_LABEL and _LABEL.fullmatch(text) is not None


is_address = lru_cache(maxsize=1024)(is_ip_address)
"""Whether a text is an IP address. Thousands of routes lead to a few hosts."""


@lru_cache(maxsize=1024)
def host_fault(text: str, wildcard: bool = True, partial: bool = True) -> str | None:
    """
    Say what is wrong with a host name, or where wildcards are allowed with a pattern.

    IP addresses are for the caller to allow.

    @param partial: Whether a wildcard may stand for the beginning of a label, C{*-v1.example.com}.
    """
    host, colon, port = text.rpartition(":")
    if "://" in text:
        fault = "is a URL: only its host belongs here"
    elif colon and port.isdigit():
        fault = f"has a port, which does not belong here; did you mean {show(host)}?"
    elif text == "*" and wildcard:
        return None
    elif not wildcard and "*" in text:
        fault = "can't be a wildcard"
    elif "*" in text[1:]:
        fault = "is no pattern: a wildcard stands in front, as in *.example.com"
    elif text.startswith("*") and not partial and not text.startswith("*."):
        fault = "is no pattern here: a wildcard is the whole first label, as in *.example.com"
    elif text.startswith("*") and not text.isascii() and not text.startswith("*."):
        fault = "is no pattern: a part of a label is ASCII, as in *-v1.example.com"
    else:
        return _name_fault(text.removeprefix("*.").removeprefix("*-").removeprefix("*"))
    return f"{show(text)} {fault}"


def _name_fault(name: str) -> str | None:
    try:
        labels = normalise(name).split(".")
    except ValueError as error:
        return str(error)
    bad = next((label for label in labels if not is_label(label)), None)
    if bad is not None:
        return f"{show(name)} is no host name: {show(bad)} is not made of letters, digits and - between them"
    if labels[-1].isdigit():
        return f"{show(name)} is neither a host name nor an IP address"
    return None


def check_port(findings: Findings, path: Path, number: int) -> None:
    """A port is between 1 and 65535."""
    if not 1 <= number <= 65535:
        findings.error(path, f"{number} is no port: 1 to 65535")


def check_protocol(findings: Findings, path: Path, protocol: str, known: Sequence[str] = PROTOCOLS) -> None:
    """A protocol is known, in any case."""
    if protocol.upper() not in known:
        hint = suggestion(protocol, known) or f": it is none of {', '.join(known)}"
        findings.error(path, f"unknown protocol {show(protocol)}{hint}")


def check_unix(findings: Findings, path: Path, address: str) -> None:
    """A UNIX socket is an absolute path to a file, or an abstract name."""
    name = address.removeprefix(UNIX)
    if not name.startswith(("/", "@")) or name.endswith("/") or name == "@":
        findings.error(path, f"{show(address)} is not unix:// with an absolute path to a socket, or with @ and a name")
    elif len(name.encode()) > MAX_UNIX:
        findings.error(path, f"its path has {len(name.encode())} bytes; sockets have {MAX_UNIX} at most")


def check_subnets(findings: Findings, path: Path, subnets: Iterable[str]) -> None:
    """Every subnet is one."""
    for index, subnet in enumerate(subnets):
        check_subnet(findings, (*path, index), subnet)


def check_subnet(findings: Findings, path: Path, subnet: str) -> None:
    """A subnet is an address, or a CIDR block."""
    if not _is_subnet(subnet):
        findings.error(path, f"{show(subnet)} is neither an IP address nor a CIDR block such as 10.0.0.0/8")


def _is_subnet(text: str) -> bool:
    _, slash, bits = text.partition("/")
    if not slash:
        return is_address(text)
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return _BITS.fullmatch(bits) is not None  # not the mask that Python takes too


def check_header(findings: Findings, path: Path, name: str) -> None:
    """A header's name is what HTTP allows; pseudo-headers have fields of their own."""
    if name.startswith(":"):
        fields = {":authority": "authority", ":method": "method", ":path": "uri", ":scheme": "scheme"}
        known = fields.get(name.lower())
        findings.error(path, f"{name} is no header" + (f": use the field {known}" if known else ""))
    elif not _HEADER.fullmatch(name):
        findings.error(path, f"{show(name)} is no name of a header")


def check_labels(findings: Findings, path: Path, labels: Mapping[str, str]) -> None:
    """Labels are what Kubernetes takes: C{app}, C{example.com/app}, and values of at most 63 characters."""
    for key, value in labels.items():
        prefix, slash, name = key.rpartition("/")
        bad_prefix = slash and (len(prefix) > 253 or not _LABEL_PREFIX.fullmatch(prefix))
        if bad_prefix or not name or len(name) > MAX_LABEL or not _LABEL_VALUE.fullmatch(name):
            findings.error((*path, key), f"{show(key)} is no key of a label: letters, digits, -, _ and .")
        if len(value) > MAX_LABEL or not _LABEL_VALUE.fullmatch(value):
            message = f"{show(value)} is no value of a label: letters, digits, -, _ and ., {MAX_LABEL} at most"
            findings.error((*path, key), message)


def check_selector(findings: Findings, path: Path, labels: Mapping[str, str], without: str = "selects nothing") -> None:
    """A selector has labels without wildcards; without labels it does what C{without} says."""
    for key, value in labels.items():
        if not key or "*" in key or "*" in value:
            findings.error((*path, key), f"{show(f'{key}={value}')} selects nothing: a label is given in full")
    if not labels:
        findings.warning(path, f"{without}: it has no labels", codes.SCHEMA_WARNING)


def check_export(findings: Findings, path: Path, namespaces: Sequence[str], nobody: bool = False) -> None:
    """
    C{exportTo} is a list of namespaces, C{.} for the own one, or C{*} alone.

    @param nobody: Whether C{~} may stand, alone too.
    """
    own = findings.resource.namespace
    seen: set[str] = set()
    for index, given in enumerate(namespaces):
        namespace = own if given == "." else given
        if given in ("*", "~") and len(namespaces) > 1:
            findings.error((*path, index), f"{given} goes with no other")
        elif given == "~" and not nobody:
            findings.error((*path, index), "~ is for ServiceEntries only")
        elif given not in ("*", "~") and not is_label(namespace):
            findings.error((*path, index), f"{show(given)} is no namespace")
        elif namespace in seen:
            findings.error((*path, index), f"{show(given)} comes twice")
        seen.add(namespace)
