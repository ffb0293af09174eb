"""Tests of L{edgegate.tls.acme.solvers.dynamic_updates}."""

from __future__ import annotations

from dataclasses import replace

from dns import message, name, rcode, rdatatype, tsig, update
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.certificates import DynamicUpdates, TSIGAlgorithm, TSIGKey
from edgegate.tls.acme.solvers.dynamic_updates import MOST_TRIED, Place, Refused, ZoneUpdater
from edgegate.tls.acme.solvers.name_servers import MOST_ALIASES, NameServer
from edgegate.tls.acme.solvers.solver import NotAnswered
from tests.tls.acme.solvers.zones import SERVER, KnownNames, Zones

NAME = "_acme-challenge.a.example.com"
SETTINGS = DynamicUpdates("ns")
KEY = TSIGKey("edge_gate", b"secret", TSIGAlgorithm.HMAC_SHA384)


def updater(zones: Zones, settings: DynamicUpdates = SETTINGS, **known: dict[str, str]) -> ZoneUpdater:
    """Return who updates the zones of a server."""
    return ZoneUpdater(settings, zones, KnownNames({"ns": (SERVER.address,)}, **known))  # type: ignore[arg-type]


class ZoneUpdaterTests(SynchronousTestCase):
    """A server that takes updates."""

    def setUp(self) -> None:
        self.zones = Zones("example.com", "acme.example.net")

    def place(self, zones: ZoneUpdater, about: str = NAME) -> tuple[str, str]:
        """Return name and zone of where a value belongs."""
        found = zones.find(about)
        return found.where.to_text(omit_final_dot=True), found.zone.to_text(omit_final_dot=True)

    def test_zone(self) -> None:
        """The server says which zone a name is in, or the settings do."""
        self.assertEqual(self.place(updater(self.zones)), (NAME, "example.com"))
        self.zones.zones.append(name.from_text("a.example.com"))
        self.assertEqual(self.place(updater(self.zones)), (NAME, "a.example.com"))
        self.zones.zones.append(name.from_text(NAME))
        self.assertEqual(self.place(updater(self.zones)), (NAME, NAME))
        given = updater(self.zones, replace(SETTINGS, zone="example.com"))
        self.assertEqual(self.place(given), (NAME, "example.com"))
        outside = updater(self.zones, replace(SETTINGS, zone="example.org"))
        self.assertIn("not in the zone example.org", str(self.assertRaises(NotAnswered, outside.find, NAME)))

    def test_aliases(self) -> None:
        """A CNAME is followed: the server's own, and where it is not the one to know what others say."""
        self.zones.put(NAME, "CNAME", "x_1.acme.example.net.")
        self.assertEqual(self.place(updater(self.zones)), ("x_1.acme.example.net", "acme.example.net"))
        foreign = "_acme-challenge.example.org"
        known = updater(self.zones, aliases={foreign: "y.acme.example.net"})
        self.assertEqual(self.place(known, foreign), ("y.acme.example.net", "acme.example.net"))
        error = self.assertRaises(NotAnswered, updater(self.zones).find, foreign)
        self.assertIn(f"the name server 192.0.2.1:53 has no zone that {foreign} is in", str(error))

    def test_circle(self) -> None:
        """Names that lead to each other end."""
        self.zones.put(NAME, "CNAME", "b.example.com.")
        self.zones.put("b.example.com", "CNAME", f"{NAME}.")
        error = self.assertRaises(NotAnswered, updater(self.zones).find, NAME)
        self.assertIn(f"more than {MOST_ALIASES} names", str(error))

    def test_no_name(self) -> None:
        """What is no name, or no server, is told."""
        self.assertRaises(NotAnswered, updater(self.zones).find, "_acme-challenge." + "a" * 64)
        self.assertRaises(NotAnswered, updater(self.zones).find, "a." * 130)
        nowhere = updater(self.zones, replace(SETTINGS, host="nowhere"))
        error = self.assertRaises(NotAnswered, nowhere.find, NAME)
        self.assertIn("no address of the name server nowhere", str(error))

    def test_several_addresses(self) -> None:
        """Of a server with several addresses the first that answers is used."""
        tried: list[str] = []

        def exchange(asked: message.Message, server: NameServer, timeout: float) -> message.Message:
            tried.append(server.address)
            if server.address == "192.0.2.9":
                return self.zones(asked, server, timeout)
            raise ConnectionRefusedError(111, "Connection refused")

        names = KnownNames({"ns": ("2001:db8::1", "192.0.2.9")})
        self.assertEqual(ZoneUpdater(SETTINGS, exchange, names).find(NAME).server.address, "192.0.2.9")
        self.assertEqual(tried, ["2001:db8::1", "192.0.2.9"])
        tried.clear()
        names = KnownNames({"ns": tuple(f"192.0.2.{number}" for number in range(20, 40))})
        error = self.assertRaises(NotAnswered, ZoneUpdater(SETTINGS, exchange, names).find, NAME)
        self.assertIn("can't be reached: Connection refused", str(error))
        self.assertEqual(len(tried), MOST_TRIED)

    def test_values(self) -> None:
        """A value stands beside others, and is the only one that is removed."""
        zones = updater(self.zones)
        place = zones.find(NAME)
        for value in ("one", "two", "two"):
            zones.add(place, value)
        self.assertEqual(self.zones.texts(NAME), ["one", "two"])
        zones.remove(place, "one")
        zones.remove(place, "one")
        self.assertEqual(self.zones.texts(NAME), ["two"])
        self.assertEqual(
            len(updates := [each for each in self.zones.asked if isinstance(each, update.UpdateMessage)]), 5
        )
        self.assertEqual(updates[0].update[0].ttl, 60)

    def test_long(self) -> None:
        """A value is cut into strings that a record can have."""
        zones = updater(self.zones)
        place = zones.find(NAME)
        zones.add(place, "x" * 600)
        (text,) = self.zones.records[name.from_text(NAME), rdatatype.TXT]
        self.assertEqual([len(each) for each in text.replace('"', "").split()], [255, 255, 90])
        zones.remove(place, "x" * 600)
        self.assertEqual(self.zones.texts(NAME), [])

    def test_servers(self) -> None:
        """The server says which others a zone has."""
        zones = updater(self.zones)
        self.zones.put("example.com", "NS", "ns1.example.com.", "ns_2.example.net.")
        self.assertEqual(set(zones.servers(zones.find(NAME))), {"ns1.example.com.", "ns_2.example.net."})

    def test_refused(self) -> None:
        """What a server answers to an update that it does not do is told, with what that means."""
        zones = updater(self.zones)
        place = zones.find(NAME)
        for code, words in (
            (rcode.NOTAUTH, "(NOTAUTH): it is not the primary server of that zone, or"),
            (rcode.REFUSED, "(REFUSED): it does not allow"),
            (rcode.NOTZONE, "(NOTZONE): the name"),
            (rcode.NOTIMP, "(NOTIMP): it takes no updates"),
            (rcode.SERVFAIL, "(SERVFAIL)"),
        ):
            self.zones.refusal = code
            error = self.assertRaises(Refused, zones.add, place, "value")
            self.assertIn(f"the name server 192.0.2.1:53 refuses to update the zone example.com {words}", str(error))
        self.assertEqual(self.zones.texts(NAME), [])


class SignedTests(SynchronousTestCase):
    """Updates that are signed."""

    def setUp(self) -> None:
        self.key = tsig.Key(KEY.name, KEY.secret, KEY.algorithm.value)
        self.place = Place(name.from_text(NAME), name.from_text("example.com"), SERVER)

    def test_signed(self) -> None:
        """Questions and updates are signed."""
        zones = Zones("example.com", key=self.key)
        signing = updater(zones, replace(SETTINGS, key=KEY))
        signing.add(signing.find(NAME), "value")
        self.assertEqual(zones.texts(NAME), ["value"])
        self.assertEqual([each.had_tsig for each in zones.asked], [True, True])

    def test_answer_unsigned(self) -> None:
        """An answer that is not signed says nothing, except that something is wrong."""

        def exchange(asked: message.Message, server: NameServer, timeout: float) -> message.Message:
            answer = message.Message(asked.id)
            answer.flags |= 0x8000
            answer.set_rcode(self.code)
            return message.from_wire(answer.to_wire(), keyring=asked.keyring, request_mac=asked.mac)

        signing = ZoneUpdater(replace(SETTINGS, key=KEY), exchange, KnownNames())
        self.code = rcode.NOERROR
        error = self.assertRaises(NotAnswered, signing.add, self.place, "value")
        self.assertIn("does not sign its answer", str(error))
        self.code = rcode.REFUSED
        # which the library tells in its later versions only where it is signed
        self.assertRaises(NotAnswered, signing.add, self.place, "value")

    def test_signed_otherwise(self) -> None:
        """An answer that somebody else has signed is not believed."""

        def exchange(asked: message.Message, server: NameServer, timeout: float) -> message.Message:
            answer = message.Message(asked.id)
            answer.use_tsig(tsig.Key(KEY.name, b"another", KEY.algorithm.value))
            return message.from_wire(answer.to_wire(), keyring=asked.keyring, request_mac=asked.mac)

        signing = ZoneUpdater(replace(SETTINGS, key=KEY), exchange, KnownNames())
        error = self.assertRaises(NotAnswered, signing.add, self.place, "value")
        self.assertIn("signs its answer in a way that is not understood (BadSignature)", str(error))
        self.assertNotIn("secret", str(error))
