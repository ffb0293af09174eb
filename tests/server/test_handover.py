"""Tests of L{edgegate.server.handover}."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import TCPAddress, UNIXAddress
from edgegate.server.handover import (
    Handed,
    NotUnderstood,
    Ready,
    Role,
    handed,
    ready,
    ready_message,
    says,
    sockets_message,
)

SOCKETS = [
    Handed(Role.PORT, TCPAddress("::", 80), 7),
    Handed(Role.PASSED, UNIXAddress("/run/a"), 8, "80"),
    Handed(Role.ADMIN, TCPAddress("127.0.0.1", 0), 9),
]


def sent(message: object) -> object:
    """Return a message as it comes to the other process."""
    return json.loads(json.dumps(message))


class HandoverTests(SynchronousTestCase):
    """What one process says, as another understands it."""

    def test_sockets(self) -> None:
        """Sockets are what they were, by the receiver's descriptors."""
        self.assertEqual(handed(sent(sockets_message(SOCKETS)), [7, 8, 9]), (SOCKETS, []))

    def test_ready(self) -> None:
        """So is what serves."""
        serving = Ready(12, "1.2", (TCPAddress("::", 80), UNIXAddress("/run/a")))
        self.assertEqual(ready(sent(ready_message(serving))), serving)

    def test_newer(self) -> None:
        """What is not known here, fields, roles and kinds of address, is left out; its descriptors are told."""
        said = {
            "sockets": [
                {"role": "port", "address": {"host": "::", "port": 80, "zone": 1}, "colour": "red"},
                {"role": "quic", "address": {"host": "::", "port": 80}},
                {"role": "port", "address": {"vsock": 3}},
                {"role": "port", "address": None},
                "what",
            ],
            "more": 1,
        }
        self.assertEqual(handed(said, [5, 6, 7, 8, 9]), ([Handed(Role.PORT, TCPAddress("::", 80), 5)], [6, 7, 8, 9]))
        self.assertEqual(ready({"ready": {"pid": 1, "version": "2", "serves": [], "x": 1}, "y": 2}).pid, 1)

    def test_nonsense(self) -> None:
        """What lacks something is an error, whatever it is."""
        for said in (None, 1, "sockets", {}, {"sockets": 1}, {"sockets": [{}]}):
            self.assertRaises(NotUnderstood, handed, said, [])
        for said in (None, 1, "ready", {}, {"ready": 1}, {"ready": {"pid": "x", "version": 1, "serves": []}}):
            self.assertRaises(NotUnderstood, ready, said)
        self.assertEqual([says(said, "left") for said in ({"left": {}}, {}, "left", None)], [True, False, False, False])
