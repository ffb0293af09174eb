"""What tests of certificates that gateways have issued themselves have in common: files, gateways and clients."""

from __future__ import annotations

import socket
import ssl
from functools import partial
from pathlib import Path
from string import Template

from tests.acceptance.processes import PATIENCE, READY, AcceptanceTestCase, Running, wait_until
from tests.acceptance.served import Answer, Client

ISSUED_BY = """\
apiVersion: edgegate.io/v1alpha1
kind: CertificateIssuer
metadata: {name: pebble, namespace: certificates}
spec:
  acme: {server: "$url", email: ops@example.com, agreeToTerms: true, caCertificates: "$ca"}
  storage: $storage
$more---
"""
"""The issuer; what is more of it has lines of its own."""

FILES = (
    ISSUED_BY
    + """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: shop}
spec:
  servers:
  - port: {number: $http, name: http, protocol: HTTP}
    hosts: [$plain]
    tls: {httpsRedirect: true}
  - port: {number: $https, name: https, protocol: HTTPS}
    hosts: [$hosts]
    tls: {mode: SIMPLE, credentialName: shop}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [$plain]
  gateways: [shop]
  http: [{directResponse: {status: 200, body: {string: "hi"}}}]
---
apiVersion: edgegate.io/v1alpha1
kind: AddressListPolicy
metadata: {name: nobody}
spec:
  source: Client
  targetRefs: [{group: networking.istio.io, kind: VirtualService, name: shop}]
  deny: {addresses: [192.0.2.0/24]}
"""
)

WAIT = "  untilIssued: Wait\n  readinessTimeout: {}\n"
"""More of the issuer, with a time."""

ISSUER = "--certificate-issuer=certificates/pebble"
"""Names the issuer of the files, for gateways and commands."""


class IssuedTestCase(AcceptanceTestCase):
    """
    Gateways on one storage.

    @ivar url: Of the authority's directory, and C{ca} the file with what it is trusted by.
    @ivar storage: Where it keeps what is issued: C{store}, if it is not told otherwise.
    @ivar admins: Ports of their admin listeners.
    """

    files = FILES
    """What is written for a gateway."""

    ports = 2
    """How many a gateway has by it."""

    url: str
    ca: Path
    admins: list[int]

    def setUp(self) -> None:
        """Name the storage."""
        super().setUp()
        self.store = self.folder / "store"
        self.storage = f"{{directory: {self.store}}}"

    def write(self, name: str, http: int, https: int, *hosts: str, **more: str) -> None:
        """Write the files of a gateway, all at once, with more values than those, or with others."""
        (self.folder / name).mkdir(exist_ok=True)
        values = {"url": self.url, "ca": self.ca, "storage": self.storage, "hosts": ", ".join(hosts)}
        values.update({"plain": '"*.example.com"', "more": "", **more})
        new = self.folder / f"{name}.new"
        new.write_text(Template(self.files).substitute(values, http=http, https=https))
        new.rename(self.folder / name / "shop.yaml")

    def serve(self, name: str, *options: str, by: tuple[str, ...] = ()) -> Running:
        """
        Start a gateway.

        @param by: The words of a command that starts it.
        """
        command = ("twistd", "-n", "--pidfile=", "edgegate", f"--config={name}", ISSUER)
        running = self.start(*by, *command, f"--admin=127.0.0.1:{self.admins.pop()}", *options)
        running.says(READY, self.ports)
        return running

    def trusted(self, port: int, host: str, root: str) -> bool:
        """Whether a client that trusts the authority is served."""
        try:
            with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
                context = ssl.create_default_context(cafile=root)
                context.wrap_socket(connection, server_hostname=host).close()
        except ssl.SSLCertVerificationError:
            return False
        except ssl.SSLError as error:
            if error.reason != "TLSV1_UNRECOGNIZED_NAME":
                raise
            # where no placeholder is shown
            return False
        return True

    def admits(self, admin: int, path: str) -> Answer:
        """Ask an admin listener."""
        client = Client(admin)
        try:
            return client.ask("GET", path, "localhost")
        finally:
            client.close()

    def ready(self, admin: int) -> bool:
        """Whether a probe takes a gateway for ready: with C{WAIT}, each of its workers has what is waited for."""
        return self.admits(admin, "/ready").status == 200

    def wait(self, port: int, hosts: tuple[str, ...], root: str) -> None:
        """Wait until such a client is, for each host."""
        for host in hosts:
            wait_until(
                partial(self.trusted, port, host, root), partial(str.format, "{} has no certificate", host), pause=0.2
            )

    def serial(self, port: int, host: str, root: str) -> str:
        """Connect as a client that trusts the authority, and return the number of the certificate."""
        context = ssl.create_default_context(cafile=root)
        connection = socket.create_connection(("127.0.0.1", port), PATIENCE)
        with context.wrap_socket(connection, server_hostname=host) as secure:
            found = secure.getpeercert()
        assert found is not None
        return str(found["serialNumber"])
