"""A name server that is none: it answers as one would, from wire to wire, without a network."""

from __future__ import annotations

from collections.abc import Mapping

from dns import flags, message, name, rcode, rdataclass, rdatatype, rrset, tsig, update

from edgegate.tls.acme.solvers.name_servers import NameServer

SOA = "ns. admin. 1 60 60 60 60"
SERVER = NameServer("192.0.2.1")


class Zones:
    """
    Some zones.

    @ivar records: What is in them: texts by name and type.
    @ivar refusal: What is answered to updates in place of doing them; L{None}: they are done.
    @ivar asked: All that came.
    """

    def __init__(self, *zones: str, key: tsig.Key | None = None) -> None:
        self.zones = [name.from_text(each) for each in zones]
        self.records: dict[tuple[name.Name, rdatatype.RdataType], list[str]] = {}
        self.refusal: rcode.Rcode | None = None
        self.asked: list[message.Message] = []
        self._key = key

    def put(self, where: str, kind: str, *texts: str) -> None:
        """Have records."""
        self.records[name.from_text(where), rdatatype.from_text(kind)] = list(texts)

    def texts(self, where: str) -> list[str]:
        """Return the TXT records at a name, without their quotes."""
        return [each.strip('"') for each in self.records.get((name.from_text(where), rdatatype.TXT), [])]

    def __call__(self, asked: message.Message, server: NameServer, timeout: float) -> message.Message:
        """Answer a message."""
        keyring = None if self._key is None else {self._key.name: self._key}
        question = message.from_wire(asked.to_wire(), keyring=keyring)
        self.asked.append(question)
        answer = self._updated(question) if isinstance(question, update.UpdateMessage) else self._answered(question)
        return message.from_wire(answer.to_wire(), keyring=asked.keyring, request_mac=asked.mac)

    def _updated(self, asked: update.UpdateMessage) -> message.Message:
        answer = message.make_response(asked)
        if self.refusal is not None:
            answer.set_rcode(self.refusal)
            return answer
        for records in asked.update:
            texts = self.records.setdefault((records.name, records.rdtype), [])
            for record in records:
                text = record.to_text()
                if records.deleting is not None:
                    self.records[records.name, records.rdtype] = texts = [each for each in texts if each != text]
                elif text not in texts:
                    texts.append(text)
        return answer

    def _answered(self, asked: message.Message) -> message.Message:
        answer = message.make_response(asked)
        (question,) = asked.question
        zone = max((each for each in self.zones if question.name.is_subdomain(each)), default=None, key=len)
        if zone is None:
            answer.set_rcode(rcode.REFUSED)
            return answer
        answer.flags |= flags.AA
        for kind in (rdatatype.CNAME, question.rdtype):
            texts = self.records.get((question.name, kind))
            if texts:
                answer.answer.append(rrset.from_text(question.name, 60, rdataclass.IN, kind, *texts))
                return answer
        section = answer.answer if (question.rdtype, question.name) == (rdatatype.SOA, zone) else answer.authority
        section.append(rrset.from_text(zone, 60, rdataclass.IN, rdatatype.SOA, SOA))
        return answer


class KnownNames:
    """What the system's resolver says in tests."""

    def __init__(
        self,
        addresses: Mapping[str, tuple[str, ...]] | None = None,
        aliases: Mapping[str, str] | None = None,
        zones: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self._addresses = addresses or {}
        self._aliases = {name.from_text(key): name.from_text(value) for key, value in (aliases or {}).items()}
        self._zones = {name.from_text(key): value for key, value in (zones or {}).items()}

    def alias(self, of: name.Name) -> name.Name | None:
        """Return where a name leads."""
        return self._aliases.get(of)

    def zone(self, of: name.Name) -> name.Name | None:
        """Return its zone."""
        return next((each for each in self._zones if of.is_subdomain(each)), None)

    def servers(self, zone: name.Name) -> tuple[str, ...]:
        """Return the zone's servers."""
        return self._zones.get(zone, ())

    def addresses(self, host: str) -> tuple[str, ...]:
        """Return the addresses of a machine."""
        return self._addresses.get(host.removesuffix("."), ())
