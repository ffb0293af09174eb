"""A gateway of several processes, under traffic: workers that die, hang, and are replaced by those of newer files."""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import socket
import ssl
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from twisted.trial.unittest import SkipTest

from edgegate.workers.generations import MOST_GENERATIONS
from tests.acceptance.processes import PATIENCE, AcceptanceTestCase, Running, free_ports, tcp_sockets, wait_until
from tests.acceptance.test_reload import FILES, MORE, resident
from tests.acceptance.traffic import Traffic

RELOADS = 8
TITLES = ["edgegate worker", "edgegate worker", "edgegate zygote"]

RELAY = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: gw}}
spec:
  servers:
  - {{port: {{number: {http}, name: http, protocol: HTTP}}, hosts: [shop.example]}}
  - {{port: {{number: {extra}, name: relay, protocol: TCP}}, hosts: ["*"]}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: relay}}
spec:
  hosts: ["*"]
  gateways: [gw]
  tcp:
  - match: [{{port: {extra}}}]
    route: [{{destination: {{host: 127.0.0.1, port: {{number: {backend}}}}}}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: shop}}
spec:
  hosts: [shop.example]
  gateways: [gw]
  http:
  - directResponse: {{status: 200, body: {{string: "{number}"}}}}
"""

TWO_SERVERS = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: gw}}
spec:
  servers:
  - port: {{number: {https}, name: open, protocol: HTTPS}}
    hosts: [shop.example]
    tls: {{mode: {mode}, serverCertificate: certs/shop.example.crt, privateKey: certs/shop.example.key{ca}}}
  - port: {{number: {https}, name: closed, protocol: HTTPS}}
    hosts: [closed.example]
    tls: {{mode: MUTUAL, serverCertificate: certs/closed.example.crt, privateKey: certs/closed.example.key{closed}}}
"""


def processes(parent: int) -> list[int]:
    """Return the processes that a process has made, and that live."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii")
    return [int(child) for child in children.split()]


def descendants(pid: int) -> list[int]:
    """Return what a process has made, and what that has."""
    found = [pid]
    for each in found:
        with contextlib.suppress(OSError):
            found += processes(each)
    return found[1:]


def title(pid: int) -> str:
    """Return what the system's tools call a process, with a word for one that has ended and is still there."""
    try:
        name = Path(f"/proc/{pid}/comm").read_text(encoding="ascii").strip()
    except OSError:
        return "gone"
    return name if alive(pid) else "zombie"


def all_processes() -> list[int]:
    """Return all processes of this machine that can be looked at."""
    return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit() and int(each.name) != os.getpid()]


def where(pid: int) -> str:
    """Return the current folder of a process, or nothing."""
    try:
        return str(Path(f"/proc/{pid}/cwd").readlink())
    except OSError:
        return ""


def state(pid: int) -> str:
    """Return the letter that the system has for what a process does (proc(5)); that of one that is gone is X."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2][0]
    except OSError:
        return "X"


def alive(pid: int) -> bool:
    """Whether a process does something still: one that nobody has asked for its status does not."""
    return state(pid) not in "ZX"


def connections(pid: int, port: int) -> int:
    """Return how many connections to a port of this machine a process has."""
    established = {f"socket:[{row[9]}]" for row in tcp_sockets() if row[1].endswith(f":{port:04X}") and row[3] == "01"}
    return sum(str(each.readlink()) in established for each in Path(f"/proc/{pid}/fd").iterdir())


class WorkersTests(AcceptanceTestCase):
    """What goes on when processes end."""

    def setUp(self) -> None:
        """Start two backends, and clients that have nobody to ask yet."""
        super().setUp()
        self.certificates("shop.example")
        self.http, self.https, self.extra, self.admin = free_ports(4)
        self.traffic = Traffic()
        self.addCleanup(self.traffic.stop)
        self.backends = [self.traffic.backend(b"A"), self.traffic.backend(b"B")]
        self.write(self.backends[0])
        self.reloads = 0

    def write(self, backend: int, more: bool = False) -> None:
        """Write the files."""
        ports = {"http": self.http, "https": self.https, "backend": backend}
        extra = MORE.format(extra=self.extra) if more else ""
        (self.folder / "etc" / "gateway.yaml").write_text(FILES.format(more=extra, **ports))

    def gateway(self, *more: str, workers: int = 2) -> Running:
        """Start the gateway."""
        options = (f"--workers={workers}", f"--admin=127.0.0.1:{self.admin}", "--no-watch", *more)
        gateway = self.start("twistd", "-n", "--pidfile=", "edgegate", "--config=etc", *options)
        gateway.says(f"{workers} workers serve")
        return gateway

    def workers(self, gateway: Running) -> list[int]:
        """Return the workers of the one generation that there is."""
        (zygote,) = processes(gateway.process.pid)
        return processes(zygote)

    def asked(self, *command: str) -> str:
        """Return what C{edgegate} says."""
        done = self.ask("edgegate", *command, "--admin", f"127.0.0.1:{self.admin}")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def keep_traffic(self) -> None:
        """Have clients ask."""
        self.traffic.keep(30, self.http, "shop.example")
        self.traffic.keep(10, self.https, "shop.example", tls=True)
        self.traffic.come(10, self.https, "shop.example", tls=True)

    def test_reloads(self) -> None:
        """Backends switch, a port comes and goes: no request fails, and of those before nothing is left."""
        gateway = self.gateway("--access-log=log")
        self.keep_traffic()
        traffic, sizes = self.traffic, []
        for number in range(1, RELOADS + 1):
            self.write(self.backends[number % 2], more=number % 3 == 0)
            gateway.process.send_signal(signal.SIGHUP)
            gateway.says("reloaded in", number)
            traffic.hears(b"AB"[number % 2 : number % 2 + 1], 150)
            sizes.append(resident(gateway))
        (self.folder / "etc" / "broken.yaml").write_text("kind: Gateway\nspec: [\n")
        gateway.process.send_signal(signal.SIGHUP)
        gateway.says("reload refused")
        self.assertIn("broken.yaml:3:1: error:", gateway.output)
        traffic.stop()
        self.assertEqual(traffic.failures, [])
        self.assertLess(sizes[-1], sizes[3] * 1.15, sizes)
        self.assertEqual(gateway.stop(), 0)
        lines = (self.folder / "log").read_text().count('"GET / HTTP/1.1" 200 ')
        self.assertEqual(lines, sum(traffic.answers.values()))

    def test_killed(self) -> None:
        """A worker that is killed is replaced; nobody else's request fails, and no connection is refused."""
        gateway = self.gateway("--access-log=none", workers=3)
        self.keep_traffic()
        traffic = self.traffic
        for number in range(1, 4):
            traffic.hears(b"A", 100)
            os.kill(self.workers(gateway)[0], signal.SIGKILL)
            gateway.says("was killed by SIGKILL", number)
            gateway.says("is gone", number)
        traffic.hears(b"A", 500)
        traffic.stop()
        # a connection that was served by one that was killed has one request under way at most
        self.assertLess(len(traffic.failures), 3 * 50, traffic.failures[:3])
        self.assertEqual([each for each in traffic.failures if "refused" in str(each)], [])
        self.assertEqual(len(self.workers(gateway)), 3)

    def test_hangs(self) -> None:
        """A worker that does nothing any more is killed, and replaced; its stack would be in the log."""
        gateway = self.gateway("--access-log=none")
        before = self.workers(gateway)
        os.kill(before[0], signal.SIGSTOP)
        gateway.says("hangs: no sign of life for 1")
        gateway.says("was killed by SIGKILL")
        gateway.says("another one takes its place")
        self.assertIn(before[1], self.workers(gateway))

    def test_stands_still(self) -> None:
        """While a worker does nothing the others take all connections; as soon as it goes on it takes some again."""
        gateway = self.gateway("--access-log=none")
        still, _ = self.workers(gateway)
        with ExitStack() as opened:
            while not (before := connections(still, self.http)):
                self.answered(*self.open(opened, 1))
            os.kill(still, signal.SIGSTOP)
            self.until(lambda: state(still) == "T")
            for client in self.open(opened, 40):
                self.answered(client)
            # nobody waited until it is killed for it
            self.assertNotIn("hangs", gateway.output)
            self.assertEqual(connections(still, self.http), before)
            os.kill(still, signal.SIGCONT)
            while connections(still, self.http) == before:
                self.answered(*self.open(opened, 1))
        self.assertEqual(self.workers(gateway)[0], still)
        self.assertNotIn("hangs", gateway.output)

    def test_zygote_killed(self) -> None:
        """Without the process that workers come from they go on, and the files are read anew for the next."""
        gateway = self.gateway("--access-log=none")
        self.keep_traffic()
        (zygote,) = processes(gateway.process.pid)
        os.kill(zygote, signal.SIGKILL)
        gateway.says("the files are read anew")
        gateway.says("reloaded in")
        self.traffic.hears(b"A", 200)
        self.traffic.stop()
        self.assertEqual(self.traffic.failures, [])

    def test_supervisor_killed(self) -> None:
        """Without the supervisor the workers end what they do, and the ports are free for the next one."""
        gateway = self.gateway("--access-log=none")
        left = self.workers(gateway)
        gateway.process.kill()
        gateway.ends()
        self.until_gone(left)
        self.gateway("--access-log=none")

    def test_looked_into(self) -> None:
        """The admin listener answers for all: what is the same once, endpoints as each worker sees them."""
        self.gateway("--access-log=none")
        self.assertEqual(self.asked("proxy-config", "listeners").count("gateway.yaml"), 2)
        lines = self.asked("proxy-config", "endpoints").splitlines()
        self.assertEqual([line.split()[0] for line in lines], ["WORKER", "0", "1"])
        self.assertIn("unchanged", self.asked("reload"))

    def test_tickets(self) -> None:
        """A TLS session goes on with another worker, and with those of newer files."""
        gateway = self.gateway("--access-log=none")
        context = ssl.create_default_context(cafile=str(self.folder / "etc/certs/ca.crt"))
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        session, reused = None, []
        for number in range(12):
            if number == 6:
                self.write(self.backends[1])
                gateway.process.send_signal(signal.SIGHUP)
                gateway.says("reloaded in")
            plain = socket.create_connection(("127.0.0.1", self.https), PATIENCE)
            with context.wrap_socket(plain, server_hostname="shop.example", session=session) as secure:
                reused.append(secure.session_reused)
                session = session or secure.session
        self.assertEqual(reused, [False] + [True] * 11)

    def test_tickets_of_others(self) -> None:
        """No session of a server lets anybody into one with other rules for clients' certificates (CVE-2025-23419)."""
        self.certificates("shop.example", "closed.example")
        self.write_two(mutual=False)
        gateway = self.gateway("--access-log=none")
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = ssl.create_default_context(cafile=str(self.folder / "etc/certs/ca.crt"))
            context.maximum_version = version
            _, session = self.visit(context, "shop.example")
            # it is a good one: with either worker it goes on
            self.assertEqual([self.visit(context, "shop.example", session)[0] for _ in range(4)], [True] * 4)
            for _ in range(4):
                self.assertRaises(OSError, self.visit, context, "closed.example", session)
            self.write_two(mutual=True)
            self.reload(gateway)
            # the same server has other rules now
            for _ in range(4):
                self.assertRaises(OSError, self.visit, context, "shop.example", session)
            self.write_two(mutual=False)
            self.reload(gateway)

    def write_two(self, mutual: bool) -> None:
        """Write the files of two servers, of which the first asks for a client's certificate or does not."""
        mode, ca = "MUTUAL" if mutual else "SIMPLE", ", caCertificates: certs/ca.crt"
        text = TWO_SERVERS.format(https=self.https, mode=mode, ca=ca if mutual else "", closed=ca)
        (self.folder / "etc" / "gateway.yaml").write_text(text)

    def visit(
        self, context: ssl.SSLContext, host: str, session: ssl.SSLSession | None = None
    ) -> tuple[bool | None, ssl.SSLSession | None]:
        """Ask a server; return whether the session went on, and the one that there is then."""
        plain = socket.create_connection(("127.0.0.1", self.https), PATIENCE)
        with context.wrap_socket(plain, server_hostname=host, session=session) as secure:
            secure.sendall(b"GET / HTTP/1.1\r\nhost: %b\r\n\r\n" % host.encode())
            if not secure.recv(65536):
                raise ConnectionResetError
            return secure.session_reused, secure.session

    def reload(self, gateway: Running) -> None:
        """Reload, and wait for it."""
        self.reloads += 1
        gateway.process.send_signal(signal.SIGHUP)
        gateway.says("reloaded in", self.reloads)

    def test_killed_in_reload(self) -> None:
        """Whoever dies while files are reloaded: what is served goes on, and the next reload is as good as any."""
        gateway = self.gateway("--access-log=none")
        self.keep_traffic()
        for number, name in enumerate(("zygote", "worker", "zygote", "worker"), 1):
            before = self.named(gateway, name)
            self.write(self.backends[number % 2])
            lines = len(gateway.lines)
            gateway.process.send_signal(signal.SIGHUP)
            while not (new := self.named(gateway, name) - before):
                os.sched_yield()
            os.kill(new.pop(), signal.SIGKILL)
            self.until(lambda since=lines: "reload" in "".join(gateway.lines[since:]))
            self.write(self.backends[number % 2], more=number > 2)
            self.until_serves(gateway, b"AB"[number % 2 : number % 2 + 1])
        self.traffic.stop()
        self.assertEqual([each for each in self.traffic.failures if "refused" in each], [])
        self.until(lambda: len(self.named(gateway, "worker")) == 2 and len(self.named(gateway, "zygote")) == 1)

    def until_serves(self, gateway: Running, body: bytes) -> None:
        """Reload until a backend is heard from: a reload that another one was cut short by has nothing to do."""
        gateway.process.send_signal(signal.SIGHUP)
        self.traffic.hears(body, 50)

    def named(self, gateway: Running, name: str) -> set[int]:
        """Return the zygotes or workers of a gateway."""
        return {pid for pid in descendants(gateway.process.pid) if title(pid) == f"edgegate {name}"}

    def until(self, done: Callable[[], bool]) -> None:
        """Wait for something to be the case."""
        wait_until(done)

    def test_orphans(self) -> None:
        """Zygotes end before those that they have made; these are the supervisor's, and none stays a zombie."""
        gateway = self.gateway("--access-log=none")
        for number in (1, 2, 3):
            self.write(self.backends[number % 2])
            self.reload(gateway)
        self.until(lambda: sorted(map(title, descendants(gateway.process.pid))) == TITLES)
        os.kill(self.workers(gateway)[0], signal.SIGKILL)
        (zygote,) = processes(gateway.process.pid)
        self.assertEqual(title(zygote), "edgegate zygote")
        os.kill(zygote, signal.SIGKILL)
        gateway.says("reloaded in", self.reloads + 1)
        self.until(lambda: sorted(map(title, descendants(gateway.process.pid))) == TITLES)

    def test_relays(self) -> None:
        """Relays go on with the workers that they began with, but for those of files that were replaced five times."""
        self.write_relay()
        gateway = self.gateway("--access-log=none")
        with ExitStack() as opened:
            relays = []
            for number in range(1, MOST_GENERATIONS + 2):
                relays.append(opened.enter_context(socket.create_connection(("127.0.0.1", self.extra), PATIENCE)))
                self.assertTrue(self.relays(relays[-1]))
                self.write_relay(number)
                self.reload(gateway)
            gateway.says("connections of files that were replaced 4 times are ended")
            self.assertEqual([self.relays(each) for each in relays], [False] + [True] * MOST_GENERATIONS)
            self.until(lambda: len(self.named(gateway, "worker")) == 2 + MOST_GENERATIONS)
        self.until(lambda: sorted(map(title, descendants(gateway.process.pid))) == TITLES)

    def relays(self, client: socket.socket) -> bool:
        """Return whether a backend answers through a relay."""
        try:
            client.sendall(b"GET / HTTP/1.1\r\n\r\n")
            return client.recv(65536).endswith(b"A")
        except OSError:
            return False

    def write_relay(self, number: int = 0) -> None:
        """Write files with a relay to a backend, which differ by a number."""
        text = RELAY.format(http=self.http, extra=self.extra, backend=self.backends[0], number=number)
        (self.folder / "etc" / "gateway.yaml").write_text(text)

    def test_killed_at_start(self) -> None:
        """Where the process that was to read the files dies, the gateway ends with one line."""
        gateway = self.start("twistd", "-n", "--pidfile=", "edgegate", "--config=etc", "--workers=2", "--admin=none")
        self.until(lambda: bool(processes(gateway.process.pid)))
        os.kill(processes(gateway.process.pid)[0], signal.SIGKILL)
        self.assertEqual(gateway.ends(), 1)
        self.assertIn("the process that read the files has died", gateway.output)
        self.assertNotIn("Traceback", gateway.output)

    def test_standard_input(self) -> None:
        """What was read of standard input is served again by the process that follows one that died."""
        served = (self.folder / "etc" / "gateway.yaml").read_text().replace("certs/", f"{self.folder}/etc/certs/")
        (self.folder / "input").write_text(served)
        shell = "exec twistd -n --pidfile= edgegate --config=- --workers=2 --access-log=none --admin=none < input"
        gateway = self.start("sh", "-c", shell)
        gateway.says("2 workers serve")
        (zygote,) = processes(gateway.process.pid)
        os.kill(zygote, signal.SIGKILL)
        gateway.says("reloaded in")
        self.traffic.keep(4, self.http, "shop.example")
        self.traffic.hears(b"A", 20)
        self.traffic.stop()
        self.assertEqual(self.traffic.failures, [])

    def test_log_reopened(self) -> None:
        """Every worker goes on in a new file."""
        gateway = self.gateway("--access-log=log")
        self.traffic.keep(8, self.http, "shop.example")
        self.traffic.hears(b"A", 50)
        (self.folder / "log").rename(self.folder / "old")
        gateway.process.send_signal(signal.SIGUSR1)
        self.traffic.hears(b"A", 200)
        self.traffic.stop()
        gateway.stop()
        lines = [(self.folder / name).read_text().count('"GET /') for name in ("old", "log")]
        self.assertEqual(sum(lines), sum(self.traffic.answers.values()))
        self.assertGreater(min(lines), 0)

    def test_cannot_bind(self) -> None:
        """A port that is taken ends the start, and refuses a reload; what serves goes on."""
        gateway = self.gateway("--access-log=none")
        with socket.create_server(("127.0.0.1", self.extra)):
            self.write(self.backends[1], more=True)
            gateway.process.send_signal(signal.SIGHUP)
            gateway.says("cannot bind")
            gateway.says("reload refused")
            self.traffic.keep(2, self.http, "shop.example")
            self.traffic.hears(b"A", 10)
        second = self.start("twistd", "-n", "--pidfile=", "edgegate", "--config=etc", "--workers=2", "--admin=none")
        self.assertEqual(second.ends(), 1)
        self.assertIn(f"cannot bind 0.0.0.0:{self.http} for", second.output.replace("[::]", "0.0.0.0"))

    def test_moves(self) -> None:
        """A port moves to an address that overlaps with the one that it has, and back: no connection is refused."""
        gateway = self.gateway("--access-log=none")
        self.traffic.keep(10, self.http, "shop.example")
        self.traffic.come(20, self.http, "shop.example")
        files = self.folder / "etc" / "gateway.yaml"
        everywhere = files.read_text()
        here = everywhere.replace("  servers:\n  - {", "  servers:\n  - {bind: 127.0.0.1, ", 1)
        for text, bound in ((here, "127.0.0.1"), (everywhere, "::"), (here, "127.0.0.1")):
            files.write_text(text)
            self.reload(gateway)
            rows = [line.split()[:2] for line in self.asked("proxy-config", "listeners").splitlines()]
            self.assertIn([bound, str(self.http)], rows)
            self.traffic.hears(b"A", 200)
        self.traffic.stop()
        self.assertEqual(self.traffic.failures, [])

    def test_even(self) -> None:
        """However many connections are opened, at once or one by one, the busiest worker has few more than the mean."""
        for workers in (2, 4):
            gateway = self.gateway("--access-log=none", workers=workers)
            for slowly in (True, False):
                counts = self.connected(self.workers(gateway), 100 * workers, slowly)
                self.assertEqual(sum(counts), 100 * workers)
                self.assertLess(max(counts), 110, (slowly, counts))
            gateway.stop()

    def connected(self, workers: list[int], count: int, slowly: bool) -> list[int]:
        """Open connections, each asking once where that is to be slow; return how many each worker has."""
        with ExitStack() as opened:
            if slowly:
                for _ in range(count):
                    self.answered(*self.open(opened, 1))
            else:
                for client in self.open(opened, count):
                    self.answered(client)
            return [connections(pid, self.http) for pid in workers]

    def open(self, opened: ExitStack, count: int) -> list[socket.socket]:
        """Open connections, which are closed with others."""
        return [
            opened.enter_context(socket.create_connection(("127.0.0.1", self.http), PATIENCE)) for _ in range(count)
        ]

    def answered(self, client: socket.socket) -> None:
        """Ask on a connection, and wait for the answer, whose connection is kept."""
        client.sendall(b"GET / HTTP/1.1\r\nhost: unknown.example\r\n\r\n")
        self.assertIn(b"404", client.recv(65536))

    def test_other_user(self) -> None:
        """Ports are opened as root; the workers, and those that come later, are another user's."""
        if os.geteuid():
            raise SkipTest("only root can become another user")
        # its own files are closed to other users
        self.folder.chmod(0o755)
        for each in self.folder.rglob("*"):
            each.chmod(0o755 if each.is_dir() else 0o644)
        options = (f"--workers=2 --no-watch --config=etc --access-log=log --admin=127.0.0.1:{self.admin}").split()
        gateway = self.start("twistd", "-n", "--pidfile=", "--uid=nobody", "--gid=nogroup", "edgegate", *options)
        gateway.says("2 workers serve")
        nobody = pwd.getpwnam("nobody").pw_uid
        workers = self.workers(gateway)
        self.assertEqual([Path(f"/proc/{pid}").stat().st_uid for pid in workers], [nobody] * 2)
        os.kill(workers[0], signal.SIGKILL)
        gateway.says("worker 0 is gone")
        self.traffic.keep(4, self.http, "shop.example")
        self.traffic.hears(b"A", 20)
        self.assertEqual({Path(f"/proc/{pid}").stat().st_uid for pid in self.workers(gateway)}, {nobody})

    def test_daemon(self) -> None:
        """A daemon's workers serve; one that is told to end leaves no process, and no pidfile."""
        options = ("--workers=2", "--no-watch", "--config=etc", "--access-log=log", "--admin=none")
        done = self.ask("twistd", "--pidfile=edgegate.pid", "--logfile=twistd.log", "edgegate", *options)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        pid = int((self.folder / "edgegate.pid").read_text())
        left = [pid, *(each for each in all_processes() if str(self.folder) in where(each))]
        self.traffic.keep(4, self.http, "shop.example")
        self.traffic.hears(b"A", 20)
        self.traffic.stop()
        self.assertEqual(self.traffic.failures, [])
        self.assertEqual(len(left), len(set(left)) + (pid in left[1:]))
        os.kill(pid, signal.SIGTERM)
        self.until_gone(left)
        self.assertFalse((self.folder / "edgegate.pid").exists())
        self.assertIn("2 workers serve", (self.folder / "twistd.log").read_text())

    def until_gone(self, pids: list[int]) -> None:
        """Wait for the end of processes that are not this one's children."""
        for pid in pids:
            self.wait_for_end(pid)

    def test_files_with_errors(self) -> None:
        """Files with errors are told as by one process, and end the start with status 78."""
        (self.folder / "etc" / "broken.yaml").write_text("kind: Gateway\nspec: [\n")
        gateway = self.start("twistd", "-n", "--pidfile=", "edgegate", "--config=etc", "--workers=2")
        self.assertEqual(gateway.ends(), 78)
        self.assertIn("broken.yaml:3:1: error:", gateway.output)
