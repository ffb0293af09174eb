"""Tests of L{edgegate.istio.kinds}, and of its modules that only declare fields."""

from __future__ import annotations

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.kinds import CORE_KINDS, KINDS, UNSERVED
from edgegate.istio.kinds.gateway import Gateway
from edgegate.istio.kinds.meta import Described, Object
from edgegate.istio.kinds.service import Service
from edgegate.istio.resources import Resources


class KindsTests(SynchronousTestCase):
    """The table of kinds."""

    def test_rows(self) -> None:
        """Every kind has a struct that needs nothing, a list for its resources, and stands once."""
        for kind in KINDS:
            kind.struct()
            self.assertEqual(getattr(Resources(), kind.resources), [])
            msgspec.convert({}, kind.document)
        names = [(kind.group, kind.name) for kind in KINDS]
        self.assertEqual(len(set(names)), len(names))
        self.assertFalse(set(names) & set(UNSERVED))
        self.assertTrue({kind.name for kind in KINDS if not kind.group} <= CORE_KINDS)

    def test_versions(self) -> None:
        """A kind goes by all its versions, the usual one first; the core's have no group."""
        versions = {kind.name: kind.api_versions for kind in KINDS}
        self.assertEqual(
            versions["Gateway"],
            ("networking.istio.io/v1", "networking.istio.io/v1beta1", "networking.istio.io/v1alpha3"),
        )
        self.assertEqual(versions["Secret"], ("v1",))

    def test_confidential(self) -> None:
        """Secrets are."""
        self.assertEqual([kind.name for kind in KINDS if kind.confidential], ["Secret"])

    def test_documents(self) -> None:
        """Kinds with a spec are described by it; the others are whole documents."""
        found = msgspec.convert({"apiVersion": "a", "kind": "b", "spec": {"selector": {"a": "b"}}}, Described[Gateway])
        self.assertEqual(found.spec, Gateway(selector={"a": "b"}))
        for kind in KINDS:
            self.assertEqual(issubclass(kind.struct, Object), kind.name in ("Secret", "Endpoints", "EndpointSlice"))

    def test_kubernetes_names(self) -> None:
        """Names with capitals in a row are those of Kubernetes."""
        names = {field.encode_name for field in msgspec.structs.fields(Service)}
        self.assertTrue({"clusterIP", "clusterIPs", "externalIPs", "loadBalancerIP", "externalName"} <= names)

    def test_frozen(self) -> None:
        """Configuration is never changed."""
        with self.assertRaises(AttributeError):
            Gateway().servers = ()  # type: ignore[misc]
