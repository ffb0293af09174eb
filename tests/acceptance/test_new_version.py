"""A new process of the program in the place of the gateway that runs, under traffic: `edgegate upgrade` and SIGUSR2."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import tempfile
from pathlib import Path

from tests.acceptance.processes import PATIENCE, ROOT, AcceptanceTestCase, Running, free_ports
from tests.acceptance.test_reload import FILES, MORE
from tests.acceptance.test_workers import processes
from tests.acceptance.traffic import Traffic

UPGRADES = 2


class NewVersionTestCase(AcceptanceTestCase):
    """A gateway that is replaced, with ports for HTTP, HTTPS and more, and its admin listener."""

    def setUp(self) -> None:
        """Start a backend, and clients that have nobody to ask yet."""
        super().setUp()
        self.certificates("shop.example")
        self.http, self.https, self.extra, self.admin = free_ports(4)
        self.traffic = Traffic()
        self.addCleanup(self.traffic.stop)
        self.backend = self.traffic.backend(b"A")
        self.write()

    def write(self, more: bool = False) -> None:
        """Write the files."""
        ports = {"http": self.http, "https": self.https, "backend": self.backend}
        extra = MORE.format(extra=self.extra) if more else ""
        (self.folder / "etc" / "gateway.yaml").write_text(FILES.format(more=extra, **ports))

    def options(self, *more: str) -> list[str]:
        """Return those of the gateway."""
        return ["edgegate", "--config=etc", f"--admin=127.0.0.1:{self.admin}", "--access-log=none", *more]

    def gateway(self, *more: str, variables: tuple[str, ...] = ()) -> Running:
        """Start the gateway in the foreground."""
        gateway = self.start("env", *variables, "twistd", "-n", "--pidfile=", *self.options("--no-watch", *more))
        gateway.says("admin listener on")
        return gateway

    def look_after(self, pid: int) -> int:
        """Have a process that is not the test's child end with the test."""

        def end() -> None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            self.wait_for_end(pid)

        self.addCleanup(end)
        return pid

    def upgrade(self) -> int:
        """Upgrade, and return the process that serves then."""
        done = self.ask("edgegate", "upgrade", f"--admin=127.0.0.1:{self.admin}")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        found = re.search(r"upgraded: pid (\d+), edgegate", done.stdout)
        assert found is not None, done.stdout
        return self.look_after(int(found[1]))

    def refused(self) -> str:
        """Try to upgrade, and return why that failed."""
        done = self.ask("edgegate", "upgrade", f"--admin=127.0.0.1:{self.admin}")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        return done.stderr

    def served_by(self) -> int:
        """Return the process that answers the admin listener, which is ready."""
        done = self.ask("edgegate", "drain", "--status", f"--admin=127.0.0.1:{self.admin}")
        self.assertIn("serving, ", done.stdout)
        found = re.search(r"pid (\d+)", done.stderr)
        assert found is not None, done.stderr
        return int(found[1])

    def served(self, port: int) -> bytes:
        """Ask on a new connection, and return the answer."""
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
            client.sendall(b"GET / HTTP/1.1\r\nhost: shop.example\r\nconnection: close\r\n\r\n")
            return client.makefile("rb").read()


class UnderTrafficTests(NewVersionTestCase):
    """Upgrades that nobody notices."""

    def check(self, *more: str) -> None:
        """Upgrade again and again while 20 connections are kept and 20 come each second."""
        gateway = self.gateway(*more)
        for port, tls in ((self.http, False), (self.https, True)):
            self.traffic.keep(10, port, "shop.example", tls=tls)
            self.traffic.come(10, port, "shop.example", tls=tls)
        pids = [gateway.process.pid]
        for _ in range(UPGRADES):
            self.traffic.hears(b"A", 100)
            pids.append(self.upgrade())
            self.assertEqual(self.served_by(), pids[-1])
            self.traffic.hears(b"A", 100)
            self.wait_for_end(pids[-2])
        self.assertEqual(gateway.process.wait(PATIENCE), 0)
        self.traffic.hears(b"A", 100)
        self.traffic.stop()
        self.assertEqual(self.traffic.failures, [], gateway.output)
        self.assertNotIn("Traceback", gateway.output)
        os.kill(pids[-1], signal.SIGTERM)
        self.wait_for_end(pids[-1])
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", self.http), PATIENCE)

    def test_one_process(self) -> None:
        """One process after the other serves, and no connection is refused, no request lost."""
        self.check()

    def test_workers(self) -> None:
        """The same with two workers each."""
        self.check("--workers=2")


class FailureTests(NewVersionTestCase):
    """A new process that does not serve leaves the old one as it was."""

    def check(self, *more: str) -> None:
        """Break the files, take a port of theirs, and mend them."""
        gateway = self.gateway(*more)
        self.traffic.keep(10, self.http, "shop.example")
        self.traffic.come(20, self.http, "shop.example")
        broken = self.folder / "etc" / "broken.yaml"
        broken.write_text("kind: Gateway\nspec: [\n")
        why = self.refused()
        self.assertIn("it ended with status 78; this process goes on", why)
        self.assertIn("broken.yaml:3:1: error:", why)
        gateway.says("the new process said: ")
        broken.unlink()
        with socket.create_server(("127.0.0.1", self.extra)):
            self.write(more=True)
            why = self.refused()
            self.assertIn("it ended with status 1; this process goes on", why)
            self.assertIn(f":{self.extra} for Gateway", why)
        self.traffic.hears(b"A", 100)
        self.assertEqual(self.served_by(), gateway.process.pid)
        # the port is in the new files alone
        self.upgrade()
        self.assertTrue(self.served(self.extra).endswith(b"A"))
        self.write()
        self.upgrade()
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", self.extra), PATIENCE)
        self.traffic.hears(b"A", 100)
        self.traffic.stop()
        self.assertEqual(self.traffic.failures, [])

    def test_one_process(self) -> None:
        """Files with errors, and a port that is taken, are told; a port that comes or goes is no failure."""
        self.check()

    def test_workers(self) -> None:
        """The same with workers."""
        self.check("--workers=2")

    def test_ends_meanwhile(self) -> None:
        """A gateway that is to end while a new process starts gives that up, and serves who has connected."""
        gateway = self.gateway()
        self.traffic.keep(10, self.http, "shop.example")
        self.traffic.hears(b"A", 20)
        gateway.process.send_signal(signal.SIGUSR2)
        gateway.says("a new process starts")
        (new,) = processes(gateway.process.pid)
        os.kill(new, signal.SIGSTOP)
        self.assertIn("another one is under way", self.refused())
        self.assertEqual(gateway.stop(), 0)
        self.assertIn("this process ends", gateway.output)
        self.wait_for_end(new)
        self.traffic.stop()
        # the port is closed, but whoever was connected was served
        self.assertEqual([each for each in self.traffic.failures if not each.startswith("connect: ")], [])
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", self.http), PATIENCE)

    def test_standard_input(self) -> None:
        """What can't be started anew says so."""
        self.start("twistd", "-n", "--pidfile=", *self.options("--config=-")).says("admin listener on")
        self.assertIn("can't read the files from the standard input", self.refused())


class LeavingTests(NewVersionTestCase):
    """What is left of the old process."""

    def check(self, *more: str) -> None:
        """Have a request take its time over an upgrade."""
        gateway = self.gateway("--upgrade-drain-timeout=2s", *more)
        with socket.create_connection(("127.0.0.1", self.http), PATIENCE) as slow, socket.socket() as idle:
            slow.sendall(b"GET /gone/ HTTP/1.1\r\nhost: shop.example\r\n\r\n")
            idle.connect(("127.0.0.1", self.http))
            idle.sendall(b"GET / HTTP/1.1\r\nhost: shop.example\r\n\r\n")
            self.assertTrue(idle.recv(65536).endswith(b"A"))
            pid = self.upgrade()
            idle.sendall(b"GET / HTTP/1.1\r\nhost: shop.example\r\n\r\n")
            answer = idle.makefile("rb").read()
            self.assertIn(b"connection: close\r\n", answer.lower())
            self.assertTrue(answer.endswith(b"A"))
            self.assertEqual(gateway.process.wait(PATIENCE), 0)
            self.assertRaises(ConnectionError, slow.recv, 1)
        self.assertEqual(self.served_by(), pid)

    def test_one_process(self) -> None:
        """A kept connection ends with its next answer; what takes longer than it may is reset."""
        self.check()

    def test_workers(self) -> None:
        """The same with workers."""
        self.check("--workers=2")

    def check_standard_error(self, *more: str) -> None:
        """Upgrade, and look where the access log of requests goes that come then."""
        gateway = self.gateway("--access-log=/dev/stderr", *more)
        pid = self.upgrade()
        gateway.process.wait(PATIENCE)
        self.assertTrue(self.served(self.http).endswith(b"A"))
        gateway.says('"GET / HTTP/1.1" 200')
        theirs = Path(f"/proc/{pid}/fd/2").readlink()
        self.assertEqual(theirs, Path(f"/proc/{pid}/fd/1").readlink())
        (self.folder / "etc" / "broken.yaml").write_text("kind: Gateway\nspec: [\n")
        os.kill(pid, signal.SIGHUP)
        gateway.says("reload refused")

    def test_standard_error(self) -> None:
        """The new process writes where the old one did once that has left, its access log, too."""
        self.check_standard_error()

    def test_standard_error_of_workers(self) -> None:
        """The same with workers."""
        self.check_standard_error("--workers=2")

    def test_unix_admin(self) -> None:
        """The path of a UNIX socket is bound anew."""
        path = Path(tempfile.mkdtemp()) / "admin"
        self.addCleanup(shutil.rmtree, path.parent)
        gateway = self.gateway(f"--admin={path}")
        pids = [gateway.process.pid]
        for number in range(2):
            done = self.ask("edgegate", "upgrade", f"--admin={path}")
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            pids.append(self.look_after(int(re.findall(r"upgraded: pid (\d+)", done.stdout)[0])))
            gateway.says("admin listener on", number + 2)
            self.assertIn(f"pid {pids[-1]}", self.ask("edgegate", "drain", "--status", f"--admin={path}").stderr)
            self.wait_for_end(pids[-2])
        os.kill(pids[-1], signal.SIGTERM)
        self.wait_for_end(pids[-1])
        self.assertFalse(path.exists())


class RunnerTests(NewVersionTestCase):
    """What twistd and systemd do with a process."""

    def test_pidfile(self) -> None:
        """It has the number of the process that serves, also after one that failed; it goes with the last one."""
        pidfile = self.folder / "pid"
        gateway = self.start("twistd", "-n", f"--pidfile={pidfile}", *self.options("--no-watch"))
        gateway.says("admin listener on")
        self.assertEqual(pidfile.read_text(), str(gateway.process.pid))
        broken = self.folder / "etc" / "broken.yaml"
        broken.write_text("kind: Gateway\nspec: [\n")
        self.refused()
        self.assertEqual(pidfile.read_text(), str(gateway.process.pid))
        broken.unlink()
        pid = self.upgrade()
        self.assertEqual(pidfile.read_text(), str(pid))
        self.assertEqual(gateway.process.wait(PATIENCE), 0)
        self.assertEqual(pidfile.read_text(), str(pid))
        os.kill(pid, signal.SIGTERM)
        self.wait_for_end(pid)
        self.assertFalse(pidfile.exists())

    def daemon(self, *more: str) -> None:
        """Upgrade a daemon."""
        pidfile = self.folder / "pid"
        command = ("--rundir=etc", f"--pidfile={pidfile}", f"--logfile={self.folder}/daemon.log")
        # what is read meanwhile would put an upgrade off
        done = self.ask("twistd", *command, *self.options("--no-watch", *more))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        first = self.look_after(int(pidfile.read_text()))
        self.traffic.keep(10, self.http, "shop.example")
        self.traffic.come(20, self.https, "shop.example", tls=True)
        self.traffic.hears(b"A", 100)
        (self.folder / "etc" / "broken.yaml").write_text("kind: Gateway\nspec: [\n")
        self.assertIn("broken.yaml:3:1: error:", self.refused())
        self.assertEqual(int(pidfile.read_text()), first)
        (self.folder / "etc" / "broken.yaml").unlink()
        pid = self.upgrade()
        self.assertEqual(int(pidfile.read_text()), pid)
        self.traffic.hears(b"A", 100)
        self.wait_for_end(first)
        self.assertEqual(int(pidfile.read_text()), pid)
        self.traffic.hears(b"A", 100)
        self.traffic.stop()
        self.assertEqual(self.traffic.failures, [])
        self.assertNotIn("Traceback", (self.folder / "daemon.log").read_text())

    def test_daemon(self) -> None:
        """A daemon is followed by a daemon."""
        self.daemon()

    def test_daemon_with_workers(self) -> None:
        """The same with workers."""
        self.daemon("--workers=2")

    def socket_activation(self, *more: str) -> None:
        """Have sockets go from process to process."""
        self.http = 80
        self.write()
        options = ("twistd", "-n", "--pidfile=", *self.options("--no-watch", *more))
        gateway = self.start("systemd-socket-activate", f"--listen=127.0.0.1:{self.extra}", "--fdname=80", *options)
        gateway.says("Listening on")
        self.assertTrue(self.served(self.extra).endswith(b"A"))
        pids = [gateway.process.pid]
        for _ in range(2):
            pids.append(self.upgrade())
            self.wait_for_end(pids[-2])
            self.assertTrue(self.served(self.extra).endswith(b"A"))
        self.assertNotIn("no Gateway uses it", gateway.output)

    def test_socket_activation(self) -> None:
        """Sockets that systemd has opened go from process to process, and stay systemd's."""
        self.socket_activation()

    def test_socket_activation_with_workers(self) -> None:
        """The same with workers."""
        self.socket_activation("--workers=2")

    def test_service_manager(self) -> None:
        """systemd is told of the new main process by the old one, and by the new one that it is ready."""
        path = Path(tempfile.mkdtemp()) / "notify"
        self.addCleanup(shutil.rmtree, path.parent)
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(manager.close)
        manager.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        manager.bind(str(path))
        manager.settimeout(PATIENCE)
        gateway = self.gateway(variables=(f"NOTIFY_SOCKET={path}",))
        pid = self.upgrade()
        gateway.process.wait(PATIENCE)
        told = []
        while len(told) < 3:
            text, ancillary, _, _ = manager.recvmsg(4096, 1024)
            sender = int.from_bytes(ancillary[0][2][:4], "little")
            told.append((sender, text.decode().split("\n")))
        old = gateway.process.pid
        self.assertEqual(
            told,
            [
                (old, ["READY=1", "STATUS=serving on 2 ports"]),
                (old, [f"MAINPID={pid}", "READY=1"]),
                (pid, ["READY=1", "STATUS=serving on 2 ports"]),
            ],
        )
        manager.setblocking(False)
        self.assertRaises(BlockingIOError, manager.recv, 4096)


class VersionTests(NewVersionTestCase):
    """A package that was replaced."""

    def test_newer(self) -> None:
        """The version that is installed by then serves, from whichever folder Python finds it in now."""
        current = self.folder / "current"
        for version in ("1.0.0", "9.8.7"):
            folder = self.folder / version
            for name in ("edgegate", "twisted"):
                shutil.copytree(
                    ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.so", "*dropin.cache*")
                )
            package = folder / "edgegate" / "__init__.py"
            package.write_text(re.sub(r'__version__ = ".*"', f'__version__ = "{version}"', package.read_text()))
        current.symlink_to(self.folder / "1.0.0")
        gateway = self.gateway(variables=(f"PYTHONPATH={current}",))
        self.traffic.keep(10, self.http, "shop.example")
        self.traffic.hears(b"A", 20)
        current.unlink()
        current.symlink_to(self.folder / "9.8.7")
        self.upgrade()
        gateway.says("edgegate 9.8.7, serves in the place of pid")
        self.traffic.hears(b"A", 100)
        self.traffic.stop()
        self.assertEqual(self.traffic.failures, [])
