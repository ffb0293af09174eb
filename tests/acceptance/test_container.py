"""The container image: what can be looked at without building one."""

from __future__ import annotations

import fnmatch
import json
import re
import signal
import socket
import threading

import yaml

from edgegate.twistd_options import Options
from tests.acceptance.processes import PATIENCE, ROOT, AcceptanceTestCase, free_ports

DOCKERFILE = (ROOT / "Dockerfile").read_text()


def command(instruction: str) -> list[str]:
    """Return the words of an instruction of the Dockerfile, the last of its kind."""
    found = re.findall(rf"^(?:.* )?{instruction} (\[.*\])$", DOCKERFILE, re.MULTILINE)
    words = json.loads(found[-1])
    assert isinstance(words, list)
    return words


class ContainerTests(AcceptanceTestCase):
    """C{Dockerfile} and C{compose.yaml}."""

    def test_health(self) -> None:
        """The health check is content with a gateway that serves, and not with one that drains or is not there."""
        port, admin = free_ports(2)
        words = [word.replace(":15000", f":{admin}") for word in command("CMD")]
        self.assertNotEqual(words, command("CMD"))
        self.assertEqual(self.ask(*words).returncode, 1)
        options = [
            f"--map-port=80:{port}",
            f"--admin=127.0.0.1:{admin}",
            "--access-log=none",
            "--dns-server=127.0.0.1:1",
        ]
        start = [word.replace("/etc/edgegate", str(ROOT / "packaging/compose")) for word in command("ENTRYPOINT")]
        gateway = self.start(*start, *options)
        gateway.says("serving HTTP")
        self.assertEqual(self.ask(*words).returncode, 0)
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as held:
            held.sendall(b"GET / HTTP/1.1\r\n")
            threading.Event().wait(0.1)
            gateway.process.send_signal(signal.SIGTERM)
            gateway.says("draining")
            self.assertEqual(self.ask(*words).returncode, 1)
        self.assertEqual(gateway.ends(), 0)

    def test_compose(self) -> None:
        """The files of the example have no problems, its options are some, and its backends are those of the files."""
        done = self.ask("edgegate", "check", str(ROOT / "packaging/compose"))
        self.assertEqual((done.returncode, done.stdout), (0, "no problems\n"))
        services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
        options = Options()
        options.parseOptions([*command("ENTRYPOINT")[-1:], *services["edgegate"]["command"]])
        self.assertEqual(options["drain-timeout"], 8.0)
        entries = [
            each["spec"]["endpoints"][0]["address"]
            for each in yaml.safe_load_all((ROOT / "packaging/compose/gateway.yaml").read_text())
            if each["kind"] == "ServiceEntry"
        ]
        self.assertEqual(sorted([*entries, "edgegate"]), sorted(services))

    def test_what_is_built_from(self) -> None:
        """All that a build reads is let in, and nothing that a checkout has beside it."""
        lines = (ROOT / ".dockerignore").read_text().splitlines()
        let_in = {line[1:] for line in lines if line.startswith("!")}
        self.assertIn("*", lines)
        needed = {"edgegate", "twisted", "setup.py", "setup.cfg", "pyproject.toml", "packaging/backend.py", "README.md"}
        self.assertEqual(needed - let_in, set())
        for name in let_in:
            self.assertTrue((ROOT / name).exists(), name)
        self.assertTrue(any(fnmatch.fnmatch("edgegate/a.cpython-311.so", line) for line in lines))
