"""Certificates that a gateway signs itself: the page that leads there, and what clients make of them."""

from __future__ import annotations

import socket
import ssl
from functools import partial
from pathlib import Path
from string import Template

from tests.acceptance.chromium import browser
from tests.acceptance.processes import (
    PATIENCE,
    READY,
    ROOT,
    AcceptanceTestCase,
    Running,
    free_ports,
    program,
    replaced,
    wait_until,
)
from tests.acceptance.walk import steps

FILES = """\
apiVersion: edgegate.io/v1alpha1
kind: CertificateIssuer
metadata: {name: local}
spec: {local: {}, onDemand: {allow: ["*.localhost"]}, storage: {directory: $store}, untilIssued: Wait}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: site, annotations: {edgegate.io/certificate-issuer: local}}
spec:
  servers:
  - port: {number: $port, name: https, protocol: HTTPS}
    hosts: [localhost, "*.localhost", intranet.example, 127.0.0.1, "::1"]
    tls: {mode: SIMPLE, credentialName: site}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: site}
spec:
  hosts: ["*"]
  gateways: [site]
  http: [{directResponse: {status: 200, body: {string: "hello\\n"}}}]
"""


def has_ipv6() -> bool:
    """Whether this machine has its own address of IPv6: some have the protocol without it."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


class LocalhostTests(AcceptanceTestCase):
    """HTTPS on this machine, in the first minute."""

    def test_pasted(self) -> None:
        """Whoever pastes the blocks of the page has HTTPS that curl trusts."""
        port, admin = free_ports(2)
        home = str(self.folder)
        (self.folder / ".curlrc").write_text("no-progress-meter\n")
        page = replaced((ROOT / "docs/localhost.md").read_text(), {8443: port})
        blocks = [block.partition("```")[0] for block in page.split("```sh\n")[1:]]
        self.paste(f"set -e\n{blocks[0]}", CURL_HOME=home)
        gateway = self.start("bash", "-c", f"exec {blocks[1].rstrip()} --admin 127.0.0.1:{admin}")
        gateway.says("the certificate for localhost by default/local is issued")
        walk = list(steps(page))
        self.assertEqual(len(walk), 3)
        for step in walk:
            output = self.paste(step.command, CURL_HOME=home)
            self.assertTrue(step.matches(output), f"$ {step.command}\n{output}\n{gateway.output[-2000:]}")

    def serve(self, name: str, *options: str) -> int:
        """Start a gateway, and return its port."""
        port, admin = free_ports(2)
        folder = self.folder / name
        folder.mkdir()
        (folder / "site.yaml").write_text(Template(FILES).substitute(port=port, store=self.folder / "store"))
        command = ["twistd", "-n", "--pidfile=", "edgegate", f"--config={name}", f"--admin=127.0.0.1:{admin}", *options]
        self.running: Running = self.start(*command)
        self.running.says(READY)
        # each worker has what the files say
        ready = "curl", "--silent", "--fail", f"http://127.0.0.1:{admin}/ready"
        wait_until(lambda: self.ask(*ready).returncode == 0, lambda: self.running.output, pause=0.1)
        return port

    def trusted(self, port: int, host: str, server_name: str, root: Path) -> bool:
        """Whether a client that trusts the root is served; one that asks for an address sends no SNI."""
        try:
            context = ssl.create_default_context(cafile=root)
            with socket.create_connection((host, port), PATIENCE) as connection:
                context.wrap_socket(connection, server_hostname=server_name).close()
        except (ssl.SSLError, FileNotFoundError):
            return False
        return True

    def wait(self, port: int, host: str, server_name: str) -> None:
        """Wait until such a client is."""
        wait_until(
            partial(self.trusted, port, host, server_name, self.folder / "store" / "local" / "ca.pem"),
            lambda: f"{server_name} is not trusted\n{self.running.output[-2000:]}",
            pause=0.1,
        )

    def test_one_root_for_all(self) -> None:
        """Two gateways, one of them with two workers, make one root, by which all hosts are trusted at all of them."""
        ports = self.serve("one"), self.serve("two", "--workers=2")
        root = self.folder / "store" / "local" / "ca.pem"
        asked = [
            ("127.0.0.1", "localhost"),
            ("127.0.0.1", "shop.localhost"),
            ("127.0.0.1", "api.shop.localhost"),
            ("127.0.0.1", "intranet.example"),
            ("127.0.0.1", "127.0.0.1"),
            *([("::1", "::1")] if has_ipv6() else []),
        ]
        for port in ports:
            for host, name in asked:
                self.wait(port, host, name)
        self.assert_private(self.folder / "store")
        answer = self.ask("curl", "--silent", "--cacert", str(root), f"https://127.0.0.1:{ports[0]}/")
        self.assertEqual((answer.returncode, answer.stdout), (0, "hello\n"), answer.stderr)
        shown = self.ask(
            "openssl", "s_client", "-connect", f"127.0.0.1:{ports[1]}", "-servername", "intranet.example",
            "-verify_hostname", "intranet.example", "-verify_return_error", "-brief", "-CAfile", str(root),
        )  # fmt: skip
        self.assertIn("Verification: OK", shown.stdout + shown.stderr)

    def test_browser(self) -> None:
        """Chromium shows a page as soon as the list of its user has the root, and not before."""
        names = self.folder / "home" / ".pki" / "nssdb"
        names.mkdir(parents=True)
        chromium, certutil = browser(), program("certutil")
        port = self.serve("one")
        url = f"https://localhost:{port}/"
        command = ["env", f"HOME={self.folder / 'home'}", chromium, "--headless=new", "--no-sandbox", "--disable-gpu"]
        command += ["--no-first-run", "--disable-background-networking", "--dump-dom"]
        root = str(self.folder / "store" / "local" / "ca.pem")
        self.wait(port, "127.0.0.1", "localhost")
        for number, told in enumerate((["-N", "--empty-password"], ["-A", "-t", "C,,", "-n", "edgegate", "-i", root])):
            done = self.ask(certutil, "-d", f"sql:{names}", *told)
            self.assertEqual(done.returncode, 0, done.stderr)
            shown = self.ask(*command, f"--user-data-dir={self.folder / f'profile-{number}'}", url)
            self.assertEqual("hello" in shown.stdout, number == 1, shown.stdout + shown.stderr)
