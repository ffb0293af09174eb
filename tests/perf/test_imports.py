"""What a gateway loads that serves and is asked for nothing else: what it need not have stays on the disk."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.acceptance.manifests import EVERY_HOST, GATEWAY, filled
from tests.acceptance.processes import PATIENCE, free_ports

SERVE = """\
import sys
from twisted.internet import reactor
from edgegate.tap import Options, makeService

options = Options()
options.parseOptions(["--config", sys.argv[1], "--admin", sys.argv[2], "--access-log", "none"])
service = makeService(options)

def started():
    print(*sys.modules)
    reactor.stop()

service.privilegedStartService()
service.startService()
reactor.callLater(0, started)
reactor.run()
"""

ON_DEMAND = {
    "twisted.web": "who asks the admin listener",
    "treq": "the command line",
    "h2": "the tests",
    "re2": "a regular expression that can be slow",
    "rich": "a terminal",
    "click": "the command line",
    "multipart": "nobody",
}


class ImportTests(SynchronousTestCase):
    """A gateway at rest."""

    def test_on_demand(self) -> None:
        """What few need is imported when they need it."""
        http, admin = free_ports(2)
        path = Path(self.mktemp())
        path.write_text(filled(GATEWAY + EVERY_HOST, http=http) + "  - directResponse: {status: 200}\n")
        ran = subprocess.run(
            [sys.executable, "-c", SERVE, path, f"127.0.0.1:{admin}"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        self.assertEqual(ran.returncode, 0, ran.stderr)
        loaded = {name.partition(".")[0] if not name.startswith("twisted.") else name for name in ran.stdout.split()}
        self.assertIn("edgegate", loaded)
        self.assertEqual(loaded & ON_DEMAND.keys(), set())
