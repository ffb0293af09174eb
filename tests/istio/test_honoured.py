"""Tests for L{edgegate.istio.honoured}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.document import Path, format_path
from edgegate.istio.honoured import fields, not_honoured
from edgegate.istio.kinds.base import Spec
from edgegate.istio.kinds.gateway import Gateway, Port, Server, ServerTLSSettings, TLSMode
from edgegate.istio.kinds.virtual_service import (
    HTTPMatchRequest,
    HTTPRoute,
    StringMatch,
    VirtualService,
)


class NotHonouredTests(SynchronousTestCase):
    """What is given but not honoured is told."""

    def told(self, spec: Spec) -> list[str]:
        """Return what is told."""
        found: list[str] = []

        def report(path: Path, message: str) -> None:
            found.append(f"{format_path(path)}: {message}")

        not_honoured(spec, ("spec",), report)
        return found

    def server(self, mode: TLSMode) -> Gateway:
        """A Gateway with one server of this mode."""
        port = Port(number=443, protocol="HTTPS", name="a")
        return Gateway(servers=(Server(port=port, hosts=("*",), tls=ServerTLSSettings(mode=mode)),))

    def test_fields(self) -> None:
        """A field is told where it stands, the fields within it are not."""
        match = HTTPMatchRequest(query_params={"a": StringMatch(exact="b")}, source_labels={"a": "b"}, stat_prefix="a")
        spec = VirtualService(http=(HTTPRoute(), HTTPRoute(match=(match,))))
        self.assertEqual(
            self.told(spec),
            [
                "spec.http[1].match[0].sourceLabels: never holds at an edge: only a client inside a mesh has it"
                " (where a match names gateways, it is not asked for)",
            ],
        )

    def test_values(self) -> None:
        """Of some fields only some values are not honoured."""
        self.assertEqual(self.told(self.server(TLSMode.SIMPLE)), [])
        self.assertIn("needs a mesh", self.told(self.server(TLSMode.ISTIO_MUTUAL))[0])

    def test_not_given(self) -> None:
        """What is not given, or says no, is not told."""
        self.assertEqual(self.told(VirtualService(http=(HTTPRoute(mirrors=()),))), [])
        tls = ServerTLSSettings(insecure_skip_verify=False)
        port = Port(number=443, protocol="HTTPS", name="a")
        self.assertEqual(self.told(Gateway(servers=(Server(port=port, hosts=(), tls=tls),))), [])


class FieldsTests(SynchronousTestCase):
    """What the documentation is made of."""

    def test_paths(self) -> None:
        """All fields are listed by their paths, those of a field that is not honoured left out."""
        listed = {each.path: each.note for each in fields(VirtualService)}
        self.assertIsNone(listed["http[].match[].headers.*.exact"])
        self.assertIsNone(listed["http[].route[].destination.port.number"])
        self.assertIsNone(listed["http[].redirect.uri"])
        labels = listed["http[].match[].sourceLabels"]
        assert labels is not None
        self.assertIn("never holds at an edge", labels.message)
        mode = {each.path: each.note for each in fields(Gateway)}["servers[].tls.mode"]
        assert mode is not None
        self.assertIn("ISTIO_MUTUAL", dict(mode.values))

    def test_types(self) -> None:
        """Types are in words that a writer of YAML knows, and what must be given is told."""
        listed = {each.path: each for each in (*fields(VirtualService), *fields(Gateway))}
        for path, type_, required in (
            ("hosts", "list of strings", False),
            ("http[].timeout", "duration", False),
            ("http[].directResponse.body.bytes", "base64", False),
            ("http[].route[].weight", "integer", False),
            ("http[].mirrorPercentage.value", "number", False),
            ("http[].match[].ignoreUriCase", "boolean", False),
            ("http[].redirect.derivePort", "FROM_PROTOCOL_DEFAULT, FROM_REQUEST_PORT", False),
            ("http[].match[]", None, False),
            ("http[].headers.request.set", "map to strings", False),
            ("http", "list of objects", False),
            ("servers[].port.number", "integer", True),
        ):
            found = listed.get(path)
            self.assertEqual(found and (found.type, found.required), type_ and (type_, required), path)
