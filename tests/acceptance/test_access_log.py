"""Access logs in formats of one's own, as clients, files and syslogs see them."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

from tests.acceptance.echo import EchoBackends
from tests.acceptance.manifests import EVERY_HOST, GATEWAY, filled
from tests.acceptance.processes import PATIENCE, READY, AcceptanceTestCase, Running, free_ports

ROUTES = (
    EVERY_HOST
    + """\
  - name: old
    match: [{uri: {prefix: /old}}]
    rewrite: {uri: /new}
    headers: {request: {set: {x-added: "yes"}}, response: {set: {x-told: "%REQ(x-a)%"}}}
    route: [{destination: {host: 127.0.0.1, port: {number: $backend}}}]
  - {name: direct, match: [{uri: {prefix: /direct}}], directResponse: {status: 418}}
  - {name: dead, match: [{uri: {prefix: /dead}}], route: [{destination: {host: 127.0.0.1, port: {number: $dead}}}]}
  tcp:
  - route: [{destination: {host: 127.0.0.1, port: {number: $backend}}}]
"""
)

SECURE = """\
  - port: {number: $https, name: https, protocol: HTTPS}
    hosts: ["*"]
    tls:
      mode: MUTUAL
      serverCertificate: certs/shop.example.crt
      privateKey: certs/shop.example.key
      caCertificates: certs/ca.crt
"""


class AccessLogCase(AcceptanceTestCase):
    """Tests of a gateway with its files in C{etc}."""

    def setUp(self) -> None:
        """Have a backend, and files."""
        super().setUp()
        self.backends = EchoBackends()
        self.addCleanup(self.backends.stop)
        self.http, self.https, self.tcp, dead = free_ports(4)
        self.ports: dict[str, object] = {
            "http": self.http,
            "https": self.https,
            "tcp": self.tcp,
            "backend": self.backends.open("one"),
            "dead": dead,
        }
        (self.folder / "etc").mkdir()
        self.write(GATEWAY + ROUTES)

    def write(self, text: str, name: str = "gw.yaml") -> None:
        """Write a file of the gateway's."""
        (self.folder / "etc" / name).write_text(filled(text, **self.ports))

    def gateway(self, *options: str) -> Running:
        """Start the gateway."""
        gateway = self.start(
            "twistd", "-n", "--pidfile=", "edgegate", "--config=etc", "--admin=none", "--no-watch", *options
        )
        gateway.says(READY)
        return gateway

    def curl(self, target: str, *options: str) -> str:
        """Ask for something, and return the status of the answer."""
        url = target if "://" in target else f"http://127.0.0.1:{self.http}{target}"
        return self.ask("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", *options, url).stdout

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something."""
        deadline = time.monotonic() + PATIENCE
        while not holds():
            self.assertLess(time.monotonic(), deadline, "it does not come")
            os.sched_yield()

    def lines(self, name: str = "log") -> list[str]:
        """Return what is in a log."""
        return (self.folder / name).read_text().splitlines()


class FormatTests(AccessLogCase):
    """Formats that options say."""

    def test_text(self) -> None:
        """A text has what its operators say, of each kind of answer; what is hostile stays within its quotes."""
        form = '%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %REQ(:PATH)% %REQ(x-added)% "%REQ(x-a)%"'
        form += " %RESPONSE_CODE% %RESPONSE_FLAGS% %ROUTE_NAME% %RESP(x-told)%"
        gateway = self.gateway("--access-log=log", f"--access-log-format={form}")
        self.curl("/old/page?a=b", "-H", 'x-a: q"uo')
        self.curl("/direct", "-X", "PUT")
        self.curl("/dead")
        self.curl("/nowhere")
        gateway.stop()
        self.assertEqual(
            self.lines(),
            [
                'GET /old/page?a=b /new/page?a=b yes "q\\"uo" 200 - old q\\"uo',
                'PUT /direct /direct - "-" 418 - direct -',
                'GET /dead /dead - "-" 503 URX,UF dead -',
                'GET /nowhere /nowhere - "-" 404 NR - -',
            ],
        )

    def test_json(self) -> None:
        """JSON has numbers, null, objects and lists; a client's certificate and what TLS has agreed on are in it."""
        self.certificates("shop.example")
        self.write(GATEWAY.replace("---\n", "") + SECURE + "---\n" + ROUTES)
        form = {
            "code": "%RESPONSE_CODE%",
            "none": "%REQ(x-none)%",
            "tls": {"version": "%DOWNSTREAM_TLS_VERSION%", "subject": "%DOWNSTREAM_PEER_SUBJECT%"},
            "list": ["%PROTOCOL%", "%REQUESTED_SERVER_NAME%", 1, True],
            "bytes": "%BYTES_RECEIVED%/%BYTES_SENT%",
        }
        gateway = self.gateway("--access-log=log", f"--access-log-format={json.dumps(form)}")
        certs = self.folder / "etc" / "certs"
        client = next(path for path in sorted(certs.glob("*client*.crt")))
        self.curl(
            f"https://shop.example:{self.https}/direct",
            *("--http2", "--resolve", f"shop.example:{self.https}:127.0.0.1", "--cacert", str(certs / "ca.crt")),
            *("--cert", str(client), "--key", str(client.with_suffix(".key"))),
        )
        gateway.stop()
        (line,) = map(json.loads, self.lines())
        subject = line["tls"].pop("subject")
        self.assertTrue(subject and "CN=" in subject, subject)
        self.assertEqual(
            line,
            {
                "code": 418,
                "none": None,
                "tls": {"version": "TLSv1.3"},
                "list": ["HTTP/2", "shop.example", 1, True],
                "bytes": "0/0",
            },
        )

    def test_relay(self) -> None:
        """A relay has what there is of it."""
        listener = '  - {port: {number: $tcp, name: tcp, protocol: TCP}, hosts: ["*"]}\n---\n'
        self.write(GATEWAY.replace("---\n", "") + listener + ROUTES)
        gateway = self.gateway(
            "--access-log=log", "--access-log-format=%PROTOCOL% %BYTES_SENT% %UPSTREAM_CLUSTER% %DURATION% %REQ(:PATH)%"
        )
        with socket.create_connection(("127.0.0.1", self.tcp), PATIENCE) as client:
            client.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            received = client.recv(1)
            client.shutdown(socket.SHUT_WR)
            while data := client.recv(65536):
                received += data
        gateway.stop()
        (line,) = self.lines()
        cluster = f"outbound|{self.ports['backend']}||127.0.0.1"
        self.assertRegex(line, rf"^- {len(received)} {cluster.replace('|', '[|]')} \d+ -$")

    def test_unknown(self) -> None:
        """An operator that is none ends the start, and a suggestion is made."""
        started = self.ask(
            "twistd", "-n", "--pidfile=", "edgegate", "--config=etc", "--admin=none", "--access-log-format=%DURATON%"
        )
        self.assertNotEqual(started.returncode, 0)
        self.assertIn(
            '--access-log-format: unknown operator %DURATON%; did you mean "DURATION"?', started.stdout + started.stderr
        )

    def test_workers(self) -> None:
        """Several workers write to one file, and go on in the next one after SIGUSR1."""
        gateway = self.gateway("--access-log=log", "--access-log-format=%REQ(:PATH)% %RESPONSE_CODE%", "--workers=2")
        gateway.says("2 workers serve")
        for number in range(10):
            self.curl(f"/direct/{number}")
        (self.folder / "log").rename(self.folder / "old")
        gateway.process.send_signal(signal.SIGUSR1)
        self.until((self.folder / "log").exists)
        self.curl("/direct/last")
        gateway.stop()
        found = sorted([*self.lines("old"), *self.lines()])
        self.assertEqual(found, sorted([*(f"/direct/{number} 418" for number in range(10)), "/direct/last 418"]))

    def test_syslog(self) -> None:
        """Each line is a message to a syslog, here or elsewhere, of one process or of several."""
        path = Path(f"/tmp/edgegate-acceptance-{self.http}")
        self.addCleanup(lambda: path.unlink(missing_ok=True))
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as remote,
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as local,
        ):
            remote.bind(("127.0.0.1", 0))
            local.bind(str(path))
            udp, unix = f"udp:127.0.0.1:{remote.getsockname()[1]}", f"unix:{path}"
            for workers, syslog, where in ((1, remote, udp), (2, local, unix)):
                syslog.settimeout(PATIENCE)
                gateway = self.gateway(
                    f"--access-log=syslog:{where}", "--access-log-format=%RESPONSE_CODE%", f"--workers={workers}"
                )
                self.curl("/direct")
                self.assertRegex(syslog.recv(1000).decode(), r"^<134>1 \S+Z \S+ edgegate \d+ access - 418$")
                gateway.stop()


MESH = """\
---
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |-
    extensionProviders:
    - name: all
      envoyFileAccessLog: {path: $folder/all, logFormat: {text: "%REQ(:PATH)% %RESPONSE_CODE%"}}
    - name: errors
      envoyFileAccessLog: {path: $folder/errors, logFormat: {labels: {code: "%RESPONSE_CODE%"}}}
    defaultProviders: {accessLogging: [all]}
"""

ERRORS = """\
---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: logs, namespace: istio-system}
spec:
  accessLogging:
  - providers: [{name: all}]
  - providers: [{name: errors}]
    filter: {expression: "response.code >= 500 && 'UF' in response.short_flags"}
"""


class DeclaredTests(AccessLogCase):
    """Logs that the files ask for."""

    def test_telemetry(self) -> None:
        """Telemetry chooses logs of MeshConfig; a reload changes them, or is refused where one can't be opened."""
        self.ports["folder"] = self.folder
        self.write(GATEWAY + ROUTES + MESH)
        for workers in ("1", "2"):
            gateway = self.gateway(f"--workers={workers}")
            self.curl("/direct")
            self.curl("/dead")
            self.write(GATEWAY + ROUTES + MESH + ERRORS)
            gateway.process.send_signal(signal.SIGHUP)
            gateway.says("reloaded in")
            self.curl("/dead")
            self.curl("/direct")
            self.write(GATEWAY + ROUTES + MESH.replace("/errors,", "/no/errors,") + ERRORS)
            gateway.process.send_signal(signal.SIGHUP)
            gateway.says("reload refused")
            self.assertRegex(
                gateway.output, r"gw\.yaml:\d+:1: error: cannot open the access log \S+/no/errors: No such"
            )
            self.curl("/direct")
            (self.folder / "all").rename(self.folder / "old")
            gateway.process.send_signal(signal.SIGUSR1)
            self.until((self.folder / "all").exists)
            gateway.stop()
            self.assertEqual(
                sorted([*self.lines("old"), *self.lines("all")]),
                ["/dead 503", "/dead 503", "/direct 418", "/direct 418", "/direct 418"],
            )
            self.assertEqual(self.lines("errors"), ['{"code":503}'])
            self.assertNotIn("/direct", gateway.output)
            for name in ("all", "old", "errors"):
                (self.folder / name).unlink()
            self.write(GATEWAY + ROUTES + MESH)

    def test_cannot_start(self) -> None:
        """A log that a worker can't open at the start is told with its place."""
        self.ports["folder"] = self.folder
        self.write(GATEWAY + ROUTES + MESH.replace("/all", "/no/all"))
        done = self.ask("twistd", "-n", "--pidfile=", "edgegate", "--config=etc", "--admin=none", "--workers=2")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(
            done.stderr,
            r"cannot serve: cannot open the access log \S+/no/all: No such file or directory \(gw\.yaml:\d+\)",
        )

    def test_streams_of_workers(self) -> None:
        """Workers write to the standard output and the standard error that the gateway was started with."""
        mesh = MESH.replace("$folder/all", "/dev/stdout").replace("$folder/errors", "/dev/stderr")
        self.write(GATEWAY + ROUTES + mesh.replace("[all]", "[all, errors]"))
        gateway = self.gateway("--workers=2")
        self.curl("/direct")
        gateway.says("/direct 418")
        gateway.says('{"code":418}')
        gateway.stop()
        for line in ("/direct 418\n", '{"code":418}\n'):
            self.assertIn(line, gateway.lines)

    def test_option_wins(self) -> None:
        """An option that is given wins over the files."""
        self.ports["folder"] = self.folder
        self.write(GATEWAY + ROUTES + MESH)
        gateway = self.gateway("--access-log=log", "--access-log-format=%RESPONSE_CODE%")
        self.curl("/direct")
        gateway.stop()
        self.assertEqual(self.lines(), ["418"])
        self.assertFalse((self.folder / "all").exists())

    def test_check(self) -> None:
        """What is wrong is told by its place."""
        self.ports["folder"] = self.folder
        self.write(MESH.replace("RESPONSE_CODE", "RESPONSE_CODES") + ERRORS.replace("response.code", "response.cod"))
        said = self.ask("edgegate", "check", "etc").stdout
        self.assertRegex(said, r"gw\.yaml:9:\d+: error: spec\.extensionProviders\[0\]")
        self.assertIn('did you mean "RESPONSE_CODE"?', said)
        self.assertIn('there is no response.cod here; did you mean "code"?', said)

    def test_paths(self) -> None:
        """MeshConfig says in which form paths are matched; a reload tells that it counts from the next start on."""
        merge = "pathNormalization: {normalization: MERGE_SLASHES}\n    extensionProviders:"
        mesh = MESH.replace("extensionProviders:", merge)
        self.ports["folder"] = self.folder
        self.write(GATEWAY + ROUTES + mesh)
        for workers in ("1", "2"):
            gateway = self.gateway(f"--workers={workers}")
            self.assertEqual(self.curl("//direct"), "418")
            if workers == "1":
                self.write(GATEWAY + ROUTES + MESH)
                gateway.process.send_signal(signal.SIGHUP)
                gateway.says("pathNormalization of MeshConfig is another than at the start")
                self.assertEqual(self.curl("//direct"), "418")
                self.write(GATEWAY + ROUTES + mesh)
            gateway.stop()
        gateway = self.gateway("--path-normalization=base")
        self.assertEqual(self.curl("//direct"), "404")
        gateway.stop()
