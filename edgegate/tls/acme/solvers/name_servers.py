"""
Questions to name servers, for threads: each has a deadline.

What a library of the DNS raises is told here in words that name the server.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from dns import exception, flags, message, name, query, rcode, rdatatype, resolver, tsig

from edgegate.tls.acme.solvers.solver import NotAnswered

TIMEOUT: Final = 10.0
"""Seconds for each answer of the server that takes updates, and for the system to say where one is."""

GLANCE: Final = 2.0
"""Seconds for each answer of another server."""

MOST_ADDRESSES: Final = 16
"""Addresses of one zone's servers that are asked."""

MOST_ALIASES: Final = 8
"""Names that lead on to another one."""

PORT: Final = 53


@dataclass(frozen=True, slots=True)
class NameServer:
    """
    Where a name server is.

    @ivar address: Of IPv4 or IPv6.
    """

    address: str
    port: int = PORT

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


Exchange = Callable[[message.Message, NameServer, float], message.Message]
"""
Sends a message, and returns the answer that comes within so many seconds. Raises what the library does, and L{OSError}.
"""


def by_tcp(asked: message.Message, server: NameServer, timeout: float) -> message.Message:
    """Ask by TCP: what was asked is done once, or one knows that it may have been."""
    return query.tcp(asked, server.address, timeout, server.port)


def by_udp(asked: message.Message, server: NameServer, timeout: float) -> message.Message:
    """Ask by UDP; by TCP where the answer is too long. What others send is passed over."""
    return query.udp_with_fallback(
        asked, server.address, timeout, server.port, ignore_unexpected=True, ignore_errors=True
    )[0]


def asked_of(
    exchange: Exchange, question: message.Message, server: NameServer, key: tsig.Key | None
) -> message.Message:
    """
    Return the answer of a server; where a question is signed the answer must be, too (RFC 8945 section 5.4).

    @raise NotAnswered: There is none, or it can't be believed.
    """
    try:
        answer = exchange(question, server, TIMEOUT)
    except (exception.DNSException, OSError, EOFError, ValueError) as error:
        raise NotAnswered(f"the name server {server} {_why(error, key)}") from error
    if key is not None and not answer.had_tsig and answer.rcode() == rcode.NOERROR:
        raise NotAnswered(f"the name server {server} does not sign its answer")
    return answer


_FAULTS: Final[tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...]] = (
    (tsig.PeerBadKey, "does not know the TSIG key {key} with this algorithm (BADKEY)"),
    (tsig.PeerBadSignature, "knows another secret of the TSIG key {key} (BADSIG)"),
    (
        (tsig.PeerBadTime, tsig.BadTime),
        "has a clock that differs from this machine's by more than TSIG allows (BADTIME)",
    ),
    (
        (tsig.PeerError, tsig.BadSignature, tsig.BadKey, tsig.BadAlgorithm, message.UnknownTSIGKey),
        "signs its answer in a way that is not understood ({error})",
    ),
    ((exception.Timeout, TimeoutError), "does not answer within {seconds:g} s"),
    (OSError, "can't be reached: {reason}"),
    (EOFError, "ends the connection without an answer"),
    (Exception, "answers what is not understood ({error})"),
)
"""What is said of errors; the first counts that is one."""


def _why(error: Exception, key: tsig.Key | None) -> str:
    """Say what a server does wrong."""
    if type(error) is exception.FormError and key is not None:
        # the library, from 2.9 on, where an answer to what was signed is not
        return "does not sign its answer, or answers what is not understood"
    words = next(words for kind, words in _FAULTS if isinstance(error, kind))
    return words.format(
        key="" if key is None else key.name.to_text(omit_final_dot=True),
        error=type(error).__name__,
        reason=error.strerror or error if isinstance(error, OSError) else error,
        seconds=TIMEOUT,
    )


class Names(Protocol):
    """What is known of names without asking one server of theirs."""

    def alias(self, of: name.Name) -> name.Name | None:
        """Return the name that one leads on to by a CNAME; L{None}: it leads nowhere, or nobody says."""

    def zone(self, of: name.Name) -> name.Name | None:
        """Return the zone that a name is in; L{None}: nobody says."""

    def servers(self, zone: name.Name) -> tuple[str, ...]:
        """Return the names of a zone's servers; none where nobody says."""

    def addresses(self, host: str) -> tuple[str, ...]:
        """Return the addresses of a machine; none where nobody says."""


class SystemNames:
    """What the resolver of the system says."""

    def alias(self, of: name.Name) -> name.Name | None:
        """See L{Names.alias}."""
        found = self._find(of, rdatatype.CNAME)
        return None if found is None or found.rrset is None else found.rrset[0].target

    def zone(self, of: name.Name) -> name.Name | None:
        """See L{Names.zone}."""
        try:
            return resolver.zone_for_name(of, lifetime=TIMEOUT)
        except (exception.DNSException, OSError):
            return None

    def servers(self, zone: name.Name) -> tuple[str, ...]:
        """See L{Names.servers}."""
        found = self._find(zone, rdatatype.NS)
        return () if found is None or found.rrset is None else tuple(each.target.to_text() for each in found.rrset)

    def addresses(self, host: str) -> tuple[str, ...]:
        """See L{Names.addresses}."""
        try:
            found = socket.getaddrinfo(host.rstrip("."), None, type=socket.SOCK_DGRAM)
        except (OSError, UnicodeError):
            return ()
        return tuple(dict.fromkeys(str(each[4][0]) for each in found))

    def _find(self, of: name.Name, kind: rdatatype.RdataType) -> resolver.Answer | None:
        try:
            return resolver.resolve(of, kind, raise_on_no_answer=False, lifetime=TIMEOUT, search=False)
        except (exception.DNSException, OSError):
            return None


def question_about(about: name.Name, kind: rdatatype.RdataType, key: tsig.Key | None = None) -> message.QueryMessage:
    """Return a question for a server that is to answer by itself, not by asking others."""
    made = message.make_query(about, kind)
    made.flags &= ~flags.RD
    if key is not None:
        made.use_tsig(key)
    return made
