"""Tests of L{edgegate.istio.kinds.meta}."""

from __future__ import annotations

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.kinds.gateway import Gateway
from edgegate.istio.kinds.meta import Described, Object, ObjectMeta
from edgegate.istio.kinds.secret import Secret


class MetaTests(SynchronousTestCase):
    """What all objects have."""

    def test_metadata(self) -> None:
        """A cluster writes more into C{metadata} than people do: all of it is known."""
        names = ("name", "creationTimestamp", "resourceVersion", "managedFields", "ownerReferences", "uid")
        found = msgspec.convert({"metadata": dict.fromkeys(names, "x")}, Described[Gateway])
        assert found.metadata is not None
        self.assertEqual(found.metadata.resource_version, "x")
        with self.assertRaises(msgspec.ValidationError):
            msgspec.convert({"nam": "x"}, ObjectMeta)

    def test_whole(self) -> None:
        """Some kinds are whole documents, the others have a spec."""
        self.assertTrue(issubclass(Secret, Object))
        self.assertFalse(issubclass(Gateway, Object))
