"""What a name server's message says of one name (RFC 1035, RFC 2308): a pure function of the message."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from ipaddress import ip_address
from typing import cast

from twisted.names import dns

MAX_ADDRESSES = 256
"""Addresses that are kept of one name."""

MAX_CHAIN = 8
"""Aliases that are followed from one name, in one message or in several."""


# What getaddrinfo can be asked too. Others it refuses with an exception in its thread, and the answer would never come.
_ASKABLE = re.compile(r"(?=.{1,254}\Z)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?", re.IGNORECASE | re.ASCII)


def is_askable(name: str) -> bool:
    """Whether something can be the name of a host, and so be asked for."""
    return _ASKABLE.fullmatch(name) is not None


class Verdict(Enum):
    """What came of a question."""

    FOUND = "found"
    ABSENT = "absent"  # there is no such name, or it has no address of this kind
    ALIAS = "alias"  # it stands for another name, whose addresses are not in the message
    BROKEN = "broken"  # the server could not tell


@dataclass(frozen=True, slots=True)
class Records:
    """
    What a message says.

    @ivar addresses: Literals, each once, in its order.
    @ivar ttl: Seconds that it may be relied on: the least along the aliases and of the addresses.
    @ivar alias: The name that the asked one stands for at last, where that has to be asked for.
    """

    verdict: Verdict
    addresses: tuple[str, ...] = ()
    ttl: int = 0
    alias: str = ""


def read_message(message: dns.Message, kind: int) -> Records:
    """
    Read an answer to a question for one kind of address.

    @param kind: C{dns.A} or C{dns.AAAA}.
    """
    if message.rCode == dns.ENAME:
        return Records(Verdict.ABSENT)
    if message.rCode != dns.OK or not message.queries:
        return Records(Verdict.BROKEN)
    asked = message.queries[0].name.name.lower()
    aliases = {_name(each): each for each in message.answers if each.type == dns.CNAME and _internet(each)}
    name, ttls = asked, []
    while name in aliases:
        record = aliases.pop(name)
        ttls.append(_ttl(record))
        name = cast(dns.Name, cast(dns.Record_CNAME, record.payload).name).name.lower()
    found = [each for each in message.answers if each.type == kind and _internet(each) and _name(each) == name]
    ttls.extend(map(_ttl, found))
    if len(ttls) - len(found) > MAX_CHAIN:
        return Records(Verdict.BROKEN)
    if found:
        return Records(Verdict.FOUND, tuple(dict.fromkeys(map(_literal, found)))[:MAX_ADDRESSES], min(ttls))
    # a server that followed the aliases says by an SOA record that nothing is at their end (RFC 2308 section 2.2)
    if name == asked or any(each.type == dns.SOA for each in message.authority):
        return Records(Verdict.ABSENT)
    return Records(Verdict.ALIAS, (), min(ttls), name.decode("latin-1"))


def _name(record: dns.RRHeader) -> bytes:
    return record.name.name.lower()


def _internet(record: dns.RRHeader) -> bool:
    return record.cls == dns.IN


def _ttl(record: dns.RRHeader) -> int:
    """Return its seconds; a number that is none counts as 0 (RFC 2181 section 8)."""
    return int(record.ttl) if record.ttl < 1 << 31 else 0


def _literal(record: dns.RRHeader) -> str:
    return str(ip_address(cast(bytes, cast(dns.Record_A, record.payload).address)))
