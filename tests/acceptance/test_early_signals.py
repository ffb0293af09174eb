"""Signals that come while the gateway starts."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from tests.acceptance.manifests import EVERY_HOST, GATEWAY, filled
from tests.acceptance.processes import ENVIRONMENT, PATIENCE, READY, AcceptanceTestCase, free_ports, program, wait_until

FILES = GATEWAY + EVERY_HOST + "  - directResponse: {status: 200}\n"


class EarlySignalsTests(AcceptanceTestCase):
    """A gateway that reads its files from standard input, and so waits for them."""

    def begin(self, stdout: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
        """Start it; return once it waits for its files, and takes note of signals."""
        options = ("--config=-", "--admin=none", "--access-log=access.log")
        process = subprocess.Popen(
            [program("twistd"), "-n", "--pidfile=edgegate.pid", "edgegate", *options],
            cwd=self.folder,
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=subprocess.PIPE,
        )
        self.addCleanup(lambda: process.poll() is None and process.kill())
        self.addCleanup(process.communicate)
        # the last that it begins to listen to
        wait_until(lambda: self.caught(process.pid, signal.SIGUSR1))
        return process

    def caught(self, pid: int, number: signal.Signals) -> bool:
        """Whether a process has something to be called at a signal."""
        status = Path(f"/proc/{pid}/status").read_text()
        mask = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
        return bool(int(mask.split()[1], 16) >> (number - 1) & 1)

    def files(self, process: subprocess.Popen[bytes]) -> None:
        """Give it its files."""
        assert process.stdin is not None
        process.stdin.write(filled(FILES, http=free_ports(1)[0]).encode())
        process.stdin.close()
        process.stdin = None

    def test_log_rotated(self) -> None:
        """SIGUSR1, which logrotate sends, does not end a gateway that starts: it serves, and has its log."""
        process = self.begin()
        process.send_signal(signal.SIGUSR1)
        self.files(process)
        assert process.stdout is not None
        said = b""
        while READY.encode() not in said:
            said = process.stdout.readline()
            self.assertTrue(said)
        process.send_signal(signal.SIGTERM)
        _, error = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, error), (0, b""))
        self.assertTrue((self.folder / "access.log").exists())

    def test_interrupted_while_loading(self) -> None:
        """SIGINT ends a gateway that has nothing to end in good order yet, with nothing to be read."""
        process = self.begin()
        process.send_signal(signal.SIGINT)
        said, error = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, (said + error).decode()), (-signal.SIGINT, ""))

    def test_interrupted_before_the_reactor_runs(self) -> None:
        """One that has its files, and nobody takes what it says, ends in good order once it runs."""
        read, write = os.pipe()
        os.set_blocking(write, False)
        try:
            while True:
                os.write(write, b" " * 65536)
        except BlockingIOError:
            pass
        os.set_blocking(write, True)
        process = self.begin(write)
        os.close(write)
        self.files(process)
        # in write(1, ...), with its first line of the log
        syscall = Path(f"/proc/{process.pid}/syscall")
        wait_until(lambda: syscall.read_text().split()[1:2] == ["0x1"])
        process.send_signal(signal.SIGINT)
        with os.fdopen(read, "rb") as output:
            said = output.read().decode()
        _, error = process.communicate(timeout=PATIENCE)
        self.assertIn("Received SIGINT, shutting down", said)
        self.assertNotIn("Traceback", said + error.decode())
        self.assertEqual((process.returncode, (self.folder / "edgegate.pid").exists()), (-signal.SIGINT, False))
