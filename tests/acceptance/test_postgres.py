"""PostgreSQL through the gateway by SNI, with a real server and psql, where they are installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from twisted.trial.unittest import SkipTest

from edgegate.tls.authority import Authority
from tests.acceptance.processes import ENVIRONMENT, PATIENCE, AcceptanceTestCase, free_ports, program

FILES = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: gw}}
spec:
  servers:
  - port: {{number: {port}, name: tls-passed, protocol: TLS}}
    bind: 127.0.0.1
    hosts: [passed.example]
    tls: {{mode: PASSTHROUGH}}
  - port: {{number: {port}, name: tls-ended, protocol: TLS}}
    bind: 127.0.0.1
    hosts: [ended.example]
    tls: {{mode: SIMPLE, serverCertificate: gateway.crt, privateKey: gateway.key}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: passed}}
spec:
  hosts: [passed.example]
  gateways: [gw]
  tls:
  - match: [{{sniHosts: [passed.example]}}]
    route: [{{destination: {{host: passed.example}}}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: ended}}
spec:
  hosts: [ended.example]
  gateways: [gw]
  tcp:
  - route: [{{destination: {{host: passed.example}}}}]
"""

ENTRY = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: {name}}}
spec:
  hosts: [{name}.example]
  ports: [{{number: 5432, name: tcp, protocol: TCP}}]
  resolution: STATIC
  endpoints: [{{address: 127.0.0.1, ports: {{tcp: {backend}}}}}]
---
"""

AGAIN = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: again}}
spec:
  servers:
  - port: {{number: {port}, name: tls-again, protocol: TLS}}
    bind: 127.0.0.1
    hosts: [again.example]
    tls: {{mode: SIMPLE, serverCertificate: gateway.crt, privateKey: gateway.key}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: again}}
spec:
  hosts: [again.example]
  gateways: [again]
  tcp:
  - route: [{{destination: {{host: again.example}}}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: again}}
spec:
  host: again.example
  trafficPolicy:
    tls: {{mode: SIMPLE, caCertificates: ca.crt, subjectAltNames: [passed.example]}}
"""

AUTHORITY = Authority.new("Test authority")


def found(name: str) -> str:
    """Return a program of PostgreSQL's, some of which Debian keeps off the path; or skip the test."""
    here = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(here[-1]) if here else program(name)


class PostgresTests(AcceptanceTestCase):
    """A database behind the gateway."""

    def setUp(self) -> None:
        """Find the programs."""
        super().setUp()
        self.psql, self.initdb, self.postgres = found("psql"), found("initdb"), found("postgres")
        self.etc = self.folder / "etc"
        self.etc.mkdir()
        (self.etc / "ca.crt").write_bytes(AUTHORITY.own.chain_pem)
        issued = AUTHORITY.server(["ended.example", "again.example"])
        (self.etc / "gateway.crt").write_bytes(issued.chain_pem)
        (self.etc / "gateway.key").write_bytes(issued.key_pem)
        self.port, self.database = free_ports(2)

    def run_server(self, ssl: bool = True) -> None:
        """Make a database and start its server, which root may not run."""
        try:
            user = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
            folder = Path(tempfile.mkdtemp(prefix="edgegate-pg-"))
            self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
            data = folder / "data"
            issued = AUTHORITY.server(["passed.example"])
            (folder / "server.crt").write_bytes(issued.chain_pem)
            (folder / "server.key").write_bytes(issued.key_pem)
            (folder / "server.key").chmod(0o600)
            if user:
                for path in (folder, folder / "server.crt", folder / "server.key"):
                    shutil.chown(path, "postgres", "postgres")
        except LookupError:
            raise SkipTest("root may not run PostgreSQL, and there is no user postgres") from None
        common = {"cwd": folder, "env": ENVIRONMENT, **user}
        made = subprocess.run(
            [self.initdb, "-D", str(data), "-A", "trust", "-U", "postgres", "-N", "--no-locale"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            **common,  # type: ignore[call-overload]
        )
        self.assertEqual(made.returncode, 0, made.stdout + made.stderr)
        settings = {
            "port": self.database,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
            "ssl": "on" if ssl else "off",
            "ssl_cert_file": folder / "server.crt",
            "ssl_key_file": folder / "server.key",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        server = subprocess.Popen(
            [self.postgres, "-D", str(data), *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            **common,  # type: ignore[call-overload]
        )
        self.addCleanup(server.stderr.close)
        self.addCleanup(server.wait, PATIENCE)
        self.addCleanup(server.terminate)
        for line in server.stderr:
            if "ready to accept connections" in line:
                return
        self.fail("PostgreSQL did not start")

    def serve(self) -> None:
        """Start the gateway."""
        files = FILES.format(port=self.port)
        entries = "".join(ENTRY.format(name=name, backend=self.database) for name in ("passed", "again"))
        (self.etc / "gw.yaml").write_text(files + "---\n" + entries + AGAIN.format(port=self.port))
        options = ("--config=etc", "--no-watch", "--admin=none", "--access-log=-")
        self.gateway = self.start("twistd", "-n", "--pidfile=", "edgegate", *options)
        self.gateway.says("serving ")

    def ask_database(self, host: str, mode: str = "verify-full") -> subprocess.CompletedProcess[str]:
        """Ask the database whether it is spoken to over TLS, and for something large."""
        told = f"host={host} hostaddr=127.0.0.1 port={self.port} user=postgres dbname=postgres connect_timeout=20"
        query = "select ssl, length(repeat('x', 3000000)) from pg_stat_ssl where pid = pg_backend_pid()"
        return self.ask(self.psql, f"{told} sslmode={mode} sslrootcert=etc/ca.crt", "-XAtc", query)

    def test_by_name(self) -> None:
        """By SNI: TLS passed through, ended at the gateway, and begun again behind it."""
        self.run_server()
        self.serve()
        for host, encrypted in (("passed.example", "t"), ("ended.example", "f"), ("again.example", "t")):
            asked = self.ask_database(host)
            self.assertEqual((asked.stdout, asked.stderr), (f"{encrypted}|3000000\n", ""), self.gateway.output)

    def test_refused(self) -> None:
        """A name that nobody has is refused, and so is a client that does not want TLS."""
        self.run_server()
        self.serve()
        self.assertIn("unrecognized name", self.ask_database("other.example", "require").stderr)
        self.assertNotEqual(self.ask_database("ended.example", "disable").returncode, 0)

    def test_unwilling(self) -> None:
        """A database that speaks no TLS can be reached where TLS ends at the gateway, and nowhere else."""
        self.run_server(ssl=False)
        self.serve()
        self.assertEqual(self.ask_database("ended.example").stdout, "f|3000000\n")
        for host in ("passed.example", "again.example"):
            self.assertNotEqual(self.ask_database(host, "require").returncode, 0)
        self.gateway.says("UF", 2)
