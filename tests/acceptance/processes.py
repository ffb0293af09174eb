"""Real processes for the acceptance tests: started, waited for by what they say, ended with their test."""

from __future__ import annotations

import os
import random
import re
import select
import shutil
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import cycle, islice
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

import edgegate

ROOT = Path(edgegate.__file__).resolve().parents[1]
"""The checkout, where C{etc/} and C{README.md} are."""

BIN = Path(sys.executable).parent
"""Where C{edgegate} and C{twistd} of this environment are."""

READY = "serving "
"""How the gateway's log says that it is up."""

PATIENCE = 60.0
"""Seconds after which a test gives up on a process."""

_RANGES, _OWN = 22, 1000

ENVIRONMENT = {
    **os.environ,
    "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
    "LC_ALL": "C",
    "NO_COLOR": "1",
}


def program(name: str) -> str:
    """Return the path of a program of this environment or the system, or skip the test that needs it."""
    found = sys.executable if name == "python" else shutil.which(name, path=ENVIRONMENT["PATH"])
    if found is None:
        raise SkipTest(f"{name} is not installed")
    return found


@cache
def _own_ports() -> tuple[Iterator[int], socket.socket]:
    """
    Return ports that no other process of tests takes until this one ends, and what tells the others so.

    They come over and over in an order of chance: none comes again before all others have.
    """
    for number in range(_RANGES):
        first = 10_000 + (os.getpid() + number) % _RANGES * _OWN
        mark = socket.socket()
        try:
            mark.bind(("127.0.0.1", first))
        except OSError:
            mark.close()
            continue
        return cycle(random.sample(range(first + 1, first + _OWN), _OWN - 1)), mark
    raise AssertionError("as many processes of tests are there as have ports of their own")


def free_ports(count: int) -> list[int]:
    """
    Return ports of this machine that nothing listens on.

    They lie below the range that the kernel takes the ports of outgoing
    connections from, and each process takes its own from a range apart, so no
    other test gets in the way before the gateway binds them. What is asked
    for next are other ports, even before these are bound.
    """
    found: list[int] = []
    ports, _ = _own_ports()
    for port in islice(ports, _OWN):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise AssertionError("no free ports")


def tcp_sockets() -> list[list[str]]:
    """Return what the kernel tells of each TCP socket of this machine, in columns (proc_net_tcp)."""
    tables = ("/proc/net/tcp", "/proc/net/tcp6")
    return [line.split() for table in tables for line in Path(table).read_text(encoding="ascii").splitlines()[1:]]


def wait_until(
    so: Callable[[], bool],
    told: Callable[[], object] = lambda: "it never is so",
    seconds: float = PATIENCE,
    pause: float = 0.01,
) -> None:
    """
    Wait for something that nothing tells of.

    @param told: Returns what is said where it is not so in time.
    @param pause: Seconds between two looks.
    """
    deadline = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < deadline, told()
        threading.Event().wait(pause)


class Running:
    """
    A process whose output is read as it comes.

    @ivar lines: What it said so far, standard error included.
    """

    def __init__(self, command: Sequence[str], cwd: Path) -> None:
        self.lines: list[str] = []
        self._news = threading.Condition()
        self._over = False
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line)
                self._news.notify_all()
        with self._news:
            self._over = True
            self._news.notify_all()

    @property
    def output(self) -> str:
        """All that it said so far."""
        return "".join(self.lines)

    def says(self, text: str, count: int = 1) -> None:
        """Wait until lines of its output have a text in them, as many as are counted."""
        with self._news:
            self._news.wait_for(lambda: self._over or self._count(text) >= count, PATIENCE)
        if self._count(text) < count:
            raise AssertionError(f"{self.process.args!r} did not say {text!r} but:\n{self.output}")

    def finds(self, matches: Callable[[str], bool]) -> str:
        """Wait for a line of its output, and return the first that matches."""
        with self._news:
            self._news.wait_for(lambda: self._over or any(map(matches, self.lines)), PATIENCE)
            for line in self.lines:
                if matches(line):
                    return line
        raise AssertionError(f"{self.process.args!r} did not say it but:\n{self.output}")

    def _count(self, text: str) -> int:
        return sum(text in line for line in self.lines)

    def ends(self) -> int:
        """Wait for its end and return its exit status."""
        status = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return status

    def stop(self) -> int:
        """End it as a service supervisor would, and return its exit status."""
        self.process.terminate()
        try:
            return self.ends()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.ends()
            raise
        finally:
            if self.process.stdout is not None:
                self.process.stdout.close()


class AcceptanceTestCase(SynchronousTestCase):
    """Tests of the real programs: a folder to work in, and processes that end with the test."""

    def setUp(self) -> None:
        """Make the folder."""
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir(parents=True)

    def start(self, *command: str) -> Running:
        """Start a process that ends with this test."""
        running = Running([program(command[0]), *command[1:]], self.folder)
        self.addCleanup(lambda: running.process.poll() is None and running.stop())
        return running

    def ask(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program to its end."""
        return subprocess.run(
            [program(command[0]), *command[1:]],
            cwd=self.folder,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def wait_for_end(self, pid: int) -> None:
        """Wait until a process that is nobody's child here has ended."""
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        try:
            self.assertTrue(select.select([descriptor], [], [], PATIENCE)[0], f"{pid} does not end")
        finally:
            os.close(descriptor)

    def paste(self, commands: str, **variables: str) -> str:
        """Run commands in a shell, with variables of their own, and return what a terminal would show."""
        done = subprocess.run(
            ["bash", "-c", commands],
            cwd=self.folder,
            env={**ENVIRONMENT, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=False,
        )
        return done.stdout

    def assert_private(self, folder: Path) -> None:
        """Nothing in a folder can be read by others, as far as it does not get another name just now."""
        for each in folder.rglob("*"):
            try:
                mode = each.stat().st_mode
            except FileNotFoundError:
                continue
            wanted = 0o700 if stat.S_ISDIR(mode) else 0o600
            self.assertEqual(oct(stat.S_IMODE(mode)), oct(wanted), each)

    def certificates(self, *hosts: str) -> Path:
        """Make certificates in C{etc/certs/} of the test's folder: the demo's, and those for these hosts."""
        made = self.ask("edgegate", "certs", "--demo", "--dir=etc/certs", *hosts)
        self.assertEqual(made.returncode, 0, made.stdout + made.stderr)
        return self.folder / "etc" / "certs"


def replaced(text: str, ports: Mapping[int, int]) -> str:
    """Return a text with port numbers replaced by others, wherever they stand alone."""
    return re.sub(r"\b\d{4,5}\b", lambda found: str(ports.get(int(found[0]), found[0])), text)
