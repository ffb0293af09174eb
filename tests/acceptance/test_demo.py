"""The demo as a process: what its end does to the gateway, and the other way round."""

from __future__ import annotations

import signal
import socket

from tests.acceptance.coolstore import CoolstoreTestCase


class DemoTests(CoolstoreTestCase):
    """C{python -m edgegate.demo}."""

    def test_ctrl_c(self) -> None:
        """Ctrl-C ends the gateway too, and is no failure."""
        running = self.open_coolstore()
        running.process.send_signal(signal.SIGINT)
        self.assertEqual(running.ends(), 0)
        self.assertNotIn("Traceback", running.output)
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", self.ports[8081]))

    def test_gateway_does_not_start(self) -> None:
        """A gateway that can't start ends the demo, with its exit status."""
        self.certificates()
        taken = socket.create_server(("", self.ports[8443]))
        self.addCleanup(taken.close)
        running = self.run_demo()
        self.assertEqual(running.ends(), 1)
        self.assertIn("cannot bind", running.output)

    def test_broken_files(self) -> None:
        """Broken files are told as the gateway tells them."""
        self.certificates()
        self.write("etc", {"backends.yaml": "kind: Gateway\n"})
        self.assertEqual(self.run_demo().ends(), 78)
