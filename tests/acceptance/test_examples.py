"""The examples of the documentation, run as they stand."""

from __future__ import annotations

import http.client
import os
import shutil
import socket

from edgegate.tap import EX_CONFIG
from tests.acceptance.coolstore import CoolstoreTestCase
from tests.acceptance.manifests import GATEWAY, filled
from tests.acceptance.processes import ENVIRONMENT, PATIENCE, READY, ROOT, free_ports

EXAMPLES = ROOT / "docs" / "examples"

KEYED = (
    GATEWAY
    + """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: all}
spec:
  hosts: ["*"]
  gateways: [gw]
  http:
  - directResponse: {status: 200, body: {string: welcome}}
"""
)


class ExamplesTests(CoolstoreTestCase):
    """What someone gets who copies an example."""

    def setUp(self) -> None:
        """Make the certificates that the files name."""
        super().setUp()
        self.certificates()

    def test_embedded(self) -> None:
        """A gateway in an application of one's own serves."""
        running = self.start("twistd", "-n", "--pidfile=", "-y", str(EXAMPLES / "embedded.tac"))
        running.says(READY)
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[8081], timeout=PATIENCE)
        self.addCleanup(connection.close)
        connection.request("GET", "/")
        self.assertEqual(connection.getresponse().status, 404)

    def test_look(self) -> None:
        """A folder can be looked at without serving it."""
        said = self.ask("python", str(EXAMPLES / "look.py"), "etc")
        self.assertEqual(said.returncode, 0, said.stderr)
        self.assertIn(f"port {self.ports[8443]} from coolstore.yaml:", said.stdout)
        self.assertIn("  TLS for simple-sni-1.istioinaction.io is passed through\n", said.stdout)
        self.assertIn(f"catalog.default.svc.cluster.local at 127.0.0.1:{self.ports[7071]}\n", said.stdout)

    def test_http_filter(self) -> None:
        """An HTTP filter of a plugin is asked about each request, and told of in the log; an unknown one is refused."""
        plugins = self.folder / "plugins" / "twisted" / "plugins"
        plugins.mkdir(parents=True)
        shutil.copy(EXAMPLES / "api_key.py", plugins)
        (port,) = free_ports(1)
        (self.folder / "gw.yaml").write_text(filled(KEYED, http=port))
        path = os.pathsep.join([str(plugins.parents[1]), ENVIRONMENT["PYTHONPATH"]])
        command = ["env", f"PYTHONPATH={path}", "twistd", "-n", "--pidfile=", "edgegate", "--config", "gw.yaml"]
        command += ["--admin=none", "--access-log-format=json", "--http-filter"]
        running = self.start(*command, "api-key")
        running.says(READY)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self.addCleanup(connection.close)
        found = []
        for key in ("open barley", "open sesame"):
            connection.request("GET", "/", headers={"x-api-key": key})
            response = connection.getresponse()
            found.append((response.status, response.read()))
        self.assertEqual(found, [(401, b"which key?\n"), (200, b"welcome")])
        running.says('"response_code_details":"api-key"')
        refused = self.ask(*command, "api-key", "--http-filter", "api-key")
        self.assertEqual((refused.returncode, "'api-key' is there twice" in refused.stdout), (1, True), refused.stdout)
        refused = self.ask(*command, "api-kee")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("no plugin has an HTTP filter called 'api-kee'; installed: api-key", refused.stdout)

    def test_http_filter_broken(self) -> None:
        """Where a plugin can't be imported, the last line says so, with its file and line; others serve."""
        plugins = self.folder / "plugins" / "twisted" / "plugins"
        plugins.mkdir(parents=True)
        shutil.copy(EXAMPLES / "api_key.py", plugins)
        (plugins / "lost.py").write_text("\nimport no_such_module\n")
        (plugins / "odd.py").write_text("x = 1\ny = (:\n")
        path = os.pathsep.join([str(plugins.parents[1]), ENVIRONMENT["PYTHONPATH"]])
        command = ["env", f"PYTHONPATH={path}", "twistd", "-n", "--pidfile=", "edgegate", "--config", "none"]
        refused = self.ask(*command, "--http-filter", "lost")
        words = refused.stdout.splitlines()[-1]
        self.assertIn("called 'lost'; installed: api-key; a plugin is broken: ", words)
        self.assertIn(f"{plugins / 'lost.py'}:2: ModuleNotFoundError: No module named 'no_such_module'", words)
        self.assertRegex(words, r"odd\.py:2: SyntaxError: ")
        self.assertEqual(self.ask(*command, "--http-filter", "api-key").returncode, EX_CONFIG)

    def test_streams(self) -> None:
        """Another protocol runs on the streams."""
        port = free_ports(1)[0]
        self.start("python", str(EXAMPLES / "streams.py"), str(port)).says(READY)
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
            connection.sendall(b"hello")
            self.assertEqual(connection.recv(5), b"hello")
