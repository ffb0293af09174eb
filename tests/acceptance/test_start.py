"""How the gateway starts, or says why it does not."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import urllib.error
import urllib.request

from tests.acceptance.coolstore import CoolstoreTestCase
from tests.acceptance.processes import PATIENCE, READY, wait_until

BROKEN = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata:
  name: broken
spec:
  servers:
  - port:
      number: 8443
      name: https
      protocol: HTTPS
    hosts: ["*"]
    tls:
      mode: SIMPEL
      privatKey: certs/a.key
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: lost
spec:
  hosts: ["*"]
  gateways: [broke]
  http:
  - route:
    - destination:
        host: nowhere
"""


class StartTests(CoolstoreTestCase):
    """C{twistd edgegate} with folders and ports of all kinds."""

    def twistd(self, *options: str) -> tuple[int, str]:
        """Run it to its end and return its exit status and what it said."""
        done = self.ask("twistd", "-n", "--pidfile=", "edgegate", *options)
        return done.returncode, done.stdout + done.stderr

    def test_broken_files(self) -> None:
        """Broken files keep the gateway from starting: all errors with their places, exit status 78."""
        self.write("broken", {"broken.yaml": BROKEN})
        status, said = self.twistd("--config", "broken")
        self.assertEqual(status, 78, said)
        for line, path in ((13, "spec.servers[0].tls.mode"), (14, "privatKey"), (22, "spec.gateways[0]")):
            self.assertRegex(
                said, rf"(?m)^broken\.yaml:{line}:\d+: error: .*{path.replace('[', '.').replace(']', '.')}"
            )
        self.assertRegex(said, r"(?m)^broken\.yaml:26:\d+: error: .*nowhere")
        self.assertNotIn("Traceback", said)

    def test_strict(self) -> None:
        """A warning is an error where that is asked for: exit status 78."""
        gateway = (
            BROKEN.partition("---")[0].replace("SIMPEL", "PASSTHROUGH").replace("      privatKey: certs/a.key\n", "")
        )
        self.write("warned", {"warned.yaml": gateway})
        status, said = self.twistd("--config", "warned", "--strict")
        self.assertEqual(status, 78, said)
        self.assertIn("warned.yaml:7:5: warning: spec.servers[0]: no tls route of any VirtualService", said)
        self.assertIn("1 warning: not started", said)

    def test_check(self) -> None:
        """C{edgegate check} says the same without starting, exit status 1; and nothing is wrong with the demo."""
        self.write("broken", {"broken.yaml": BROKEN})
        broken = self.ask("edgegate", "check", "broken")
        self.assertEqual(broken.returncode, 1)
        self.assertIn("broken.yaml:13:", broken.stdout + broken.stderr)
        self.certificates()
        good = self.ask("edgegate", "check", "etc")
        self.assertEqual(good.returncode, 0, good.stdout + good.stderr)
        self.assertNotIn("warning", good.stdout + good.stderr)

    def test_port_taken(self) -> None:
        """A port that something else has ends the start with one line that names it, exit status 1."""
        self.certificates()
        taken = socket.create_server(("", self.ports[31400]))
        self.addCleanup(taken.close)
        status, said = self.twistd("--config", "etc")
        self.assertEqual(status, 1, said)
        self.assertEqual(len([line for line in said.splitlines() if str(self.ports[31400]) in line]), 1, said)
        self.assertNotIn("Traceback", said)

    def refused(self, port: int, *command: str) -> subprocess.CompletedProcess[str]:
        """Start a gateway that can't begin: it says why on standard error, and leaves nothing behind."""
        done = self.ask(*command)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn(f"cannot bind [::]:{port} for Gateway default/", done.stderr)
        self.assertIn("Address already in use\n", done.stderr)
        self.assertNotIn("Traceback", done.stdout + done.stderr)
        # a daemon tells who waits for it before it removes its pidfile
        wait_until(lambda: not (self.folder / "edgegate.pid").exists())
        return done

    def test_port_taken_by_every_runner(self) -> None:
        """The exit status and the line are the same for a daemon, whose parent waits for it, and under C{twist}."""
        self.certificates()
        port = self.ports[31400]
        taken = socket.create_server(("", port))
        self.addCleanup(taken.close)
        gateway = ("edgegate", "--config", "etc", "--admin=none")
        self.refused(port, "twist", *gateway)
        self.refused(port, "twistd", "-n", "--pidfile=edgegate.pid", *gateway)
        self.refused(port, "twistd", "--pidfile=edgegate.pid", "--logfile=twistd.log", *gateway)
        log = (self.folder / "twistd.log").read_text()
        self.assertIn(f"cannot bind [::]:{port} for Gateway default/", log)
        self.assertNotIn("Traceback", log)

    def test_no_access_log(self) -> None:
        """Nor does a gateway start whose access log can't be opened; files with errors are another exit status."""
        self.certificates()
        self.write("broken", {"broken.yaml": BROKEN})
        daemon = ("twistd", "--pidfile=edgegate.pid", "--logfile=twistd.log")
        options = ("edgegate", "--admin=none", "--config=etc", "--access-log=no/such/log")
        for runner in (daemon, ("twistd", "-n", "--pidfile=edgegate.pid"), ("twist",)):
            done = self.ask(*runner, *options)
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertIn("cannot open the access log no/such/log: No such file or directory\n", done.stderr)
            done = self.ask(*runner, "edgegate", "--config=broken")
            self.assertEqual(done.returncode, 78, done.stdout + done.stderr)
            self.assertFalse((self.folder / "edgegate.pid").exists())

    def test_no_standard_input(self) -> None:
        """Standard input that is closed holds nothing."""
        done = self.ask("sh", "-c", "exec edgegate check - <&-")
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertIn("no Gateway is declared", done.stdout)

    def test_daemon(self) -> None:
        """A daemon serves until it is told to end, and says that its access log has nowhere to go."""
        self.certificates()
        done = self.ask(
            "twistd", "--pidfile=edgegate.pid", "--logfile=twistd.log", "edgegate", "--config=etc", "--admin=none"
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        pid = int((self.folder / "edgegate.pid").read_text())
        try:
            with self.assertRaises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(f"http://127.0.0.1:{self.ports[8081]}/", timeout=PATIENCE)
            caught.exception.close()
        finally:
            os.kill(pid, signal.SIGTERM)
            self.wait_for_end(pid)
        words = "a daemon has no standard output: the access log goes nowhere"
        self.assertIn(words, done.stderr)
        self.assertIn(words, (self.folder / "twistd.log").read_text())
        self.assertFalse((self.folder / "edgegate.pid").exists())

    def test_no_such_folder(self) -> None:
        """A folder that is not there is said so, without a traceback."""
        status, said = self.twistd("--config", "nowhere")
        self.assertNotEqual(status, 0)
        self.assertIn("nowhere", said)
        self.assertNotIn("Traceback", said)

    def test_help(self) -> None:
        """Every option is explained."""
        status, said = self.twistd("--help")
        self.assertEqual(status, 0)
        for option in ("--config", "--map-port", "--selector", "--trusted-hops"):
            self.assertIn(option, said)

    def serves(self, *command: str) -> None:
        """Start a gateway without backends; it serves, and ends when it is told to."""
        self.certificates()
        running = self.start(*command, "edgegate", "--config", "etc")
        running.says(READY)
        url = f"http://127.0.0.1:{self.ports[8081]}/"
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(url, timeout=PATIENCE)
        self.assertEqual(caught.exception.code, 404)
        caught.exception.close()
        running.stop()
        self.assertNotIn("Traceback", running.output)

    def test_twistd(self) -> None:
        """C{twistd -n edgegate} serves and stops."""
        self.serves("twistd", "-n", "--pidfile=")

    def test_twist(self) -> None:
        """So does C{twist edgegate}."""
        self.serves("twist", "--log-format=text")

    def test_empty_folder(self) -> None:
        """Nothing is open that no file opens: an empty folder is a running gateway that says so."""
        (self.folder / "empty").mkdir()
        running = self.start("twistd", "-n", "--pidfile=", "edgegate", "--config", "empty")
        running.says("no listener")
        running.stop()

    def test_standard_input(self) -> None:
        """The files may come from standard input."""
        self.certificates()
        text = "---\n".join(path.read_text() for path in sorted((self.folder / "etc").glob("*.yaml")))
        (self.folder / "all.yaml").write_text(text.replace("certs/", "etc/certs/"))
        done = self.ask("bash", "-c", "edgegate check - < all.yaml")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
