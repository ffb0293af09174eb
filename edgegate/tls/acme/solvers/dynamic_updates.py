"""Values in a zone by updates (RFC 2136), signed by TSIG (RFC 8945)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from dns import exception, flags, message, name, rcode, rdataclass, rdatatype, tsig, update
from dns.rdtypes.ANY.TXT import TXT

from edgegate.model.certificates import DynamicUpdates
from edgegate.tls.acme.solvers.name_servers import (
    MOST_ALIASES,
    Exchange,
    Names,
    NameServer,
    SystemNames,
    asked_of,
    by_tcp,
    question_about,
)
from edgegate.tls.acme.solvers.solver import NotAnswered

MOST_TRIED: Final = 4
"""Addresses of the server that are tried, one after the other."""

_LONGEST_STRING: Final = 255  # RFC 1035 section 3.3

_HINTS: Final = {
    rcode.NOTAUTH: "it is not the primary server of that zone, or does not know the key",
    rcode.REFUSED: "it does not allow this update: to this key, from this address or of TXT records",
    rcode.NOTZONE: "the name is not in the zone",
    rcode.NOTIMP: "it takes no updates",
}


class Refused(NotAnswered):
    """A server has not done what it was asked."""


@dataclass(frozen=True, slots=True)
class Place:
    """
    Where a value belongs.

    @ivar where: The name, behind all aliases.
    @ivar server: Which takes updates of the zone.
    """

    where: name.Name
    zone: name.Name
    server: NameServer


class ZoneUpdater:
    """Updates the zones of one server."""

    def __init__(self, settings: DynamicUpdates, exchange: Exchange = by_tcp, names: Names | None = None) -> None:
        self._settings = settings
        self._exchange = exchange
        self._names = SystemNames() if names is None else names
        key = settings.key
        self._key = None if key is None else tsig.Key(key.name, key.secret, key.algorithm.value)

    def find(self, about: str) -> Place:
        """
        Return where a value for a name belongs: many have C{_acme-challenge} lead into another zone by a CNAME.

        @raise NotAnswered: It can't be found out.
        """
        try:
            where = name.from_text(about)
            given = name.from_text(self._settings.zone) if self._settings.zone else None
        except exception.DNSException as error:
            raise NotAnswered(f"{about} is no name of the DNS ({type(error).__name__})") from error
        host = self._settings.host
        *others, last = self._names.addresses(host)[:MOST_TRIED] or ("",)
        if not last:
            raise NotAnswered(f"there is no address of the name server {host}")
        for address in others:
            with suppress(NotAnswered):
                return self._found(NameServer(address, self._settings.port), where, given)
        return self._found(NameServer(last, self._settings.port), where, given)

    def add(self, place: Place, value: str) -> None:
        """
        Add a value to those at a name.

        @raise Refused: The server does not do it.
        @raise NotAnswered: Nobody knows whether it has.
        """
        made = update.UpdateMessage(place.zone)
        made.add(place.where, self._settings.ttl, _record(value))
        self._update(place, made)

    def remove(self, place: Place, value: str) -> None:
        """
        Remove a value, and none of the others at that name.

        @raise NotAnswered: Nobody knows whether it is gone.
        """
        made = update.UpdateMessage(place.zone)
        made.delete(place.where, _record(value))
        self._update(place, made)

    def servers(self, place: Place) -> tuple[str, ...]:
        """
        Return the names of all servers of a zone, as the one that takes updates has them.

        @raise NotAnswered: It does not say.
        """
        answer = self._ask(place.server, place.zone, rdatatype.NS)
        return tuple(
            record.target.to_text()
            for records in answer.answer
            if records.rdtype == rdatatype.NS and records.name == place.zone
            for record in records
        )

    # ------------------------------------------------------------------------------------------------------------------

    def _found(self, server: NameServer, about: name.Name, given: name.Name | None) -> Place:
        where = about
        for _ in range(MOST_ALIASES + 1):
            target, zone = self._known(server, where)
            if target is None and zone is None:
                target = self._names.alias(where)
            if target is not None:
                where = target
                continue
            zone = zone if given is None else given
            shown = where.to_text(omit_final_dot=True)
            if zone is None:
                raise NotAnswered(f"the name server {server} has no zone that {shown} is in")
            if not where.is_subdomain(zone):
                raise NotAnswered(f"{shown} is not in the zone {zone.to_text(omit_final_dot=True)}")
            return Place(where, zone, server)
        shown = about.to_text(omit_final_dot=True)
        raise NotAnswered(f"{shown} leads on to more than {MOST_ALIASES} names, one after the other")

    def _known(self, server: NameServer, where: name.Name) -> tuple[name.Name | None, name.Name | None]:
        """Return where a name leads to, or else its zone, where the server is the one to know."""
        # all that has no SOA itself is answered with that of its zone (RFC 2308 section 2)
        answer = self._ask(server, where, rdatatype.SOA)
        if not answer.flags & flags.AA or answer.rcode() not in (rcode.NOERROR, rcode.NXDOMAIN):
            return None, None
        for records in answer.answer:
            if records.rdtype == rdatatype.CNAME and records.name == where:
                return records[0].target, None
        found = [records.name for records in (*answer.answer, *answer.authority) if records.rdtype == rdatatype.SOA]
        return None, found[0] if found else None

    def _ask(self, server: NameServer, about: name.Name, kind: rdatatype.RdataType) -> message.Message:
        return asked_of(self._exchange, question_about(about, kind, self._key), server, self._key)

    def _update(self, place: Place, made: update.UpdateMessage) -> None:
        if self._key is not None:
            made.use_tsig(self._key)
        answer = asked_of(self._exchange, made, place.server, self._key)
        code = answer.rcode()
        if code != rcode.NOERROR:
            hint = f": {_HINTS[code]}" if code in _HINTS else ""
            zone = place.zone.to_text(omit_final_dot=True)
            words = f"the name server {place.server} refuses to update the zone {zone} ({rcode.to_text(code)}){hint}"
            raise Refused(words)


def _record(value: str) -> TXT:
    data = value.encode("ascii")
    strings = [data[begin : begin + _LONGEST_STRING] for begin in range(0, len(data), _LONGEST_STRING)]
    return TXT(rdataclass.IN, rdatatype.TXT, strings)
