"""The page that leads from nothing to a site behind the gateway, pasted block by block."""

from __future__ import annotations

import re

from tests.acceptance.processes import READY, ROOT, AcceptanceTestCase, free_ports, replaced
from tests.acceptance.walk import steps

PORTS = (8080, 8443, 9000)
"""What the page opens."""

SERVERS = {"python3 -m http.server": "Serving HTTP on", "twistd ": READY}
"""How the commands begin that the page has in a terminal of their own, and what they say when they are up."""

INSTALL = "python3 -m venv"
"""How the block begins that makes an environment, in which this test runs already."""

BLOCK = re.compile(r"^```(sh|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class FirstFolderTests(AcceptanceTestCase):
    """C{docs/first-folder.md}."""

    def test_pasted(self) -> None:
        """Whoever pastes the blocks in their order has a site behind the gateway, with HTTPS."""
        page = replaced((ROOT / "docs/first-folder.md").read_text(), dict(zip(PORTS, free_ports(3), strict=True)))
        (admin,) = free_ports(1)
        asked = 0
        for kind, text in BLOCK.findall(page):
            up = next((said for begin, said in SERVERS.items() if text.startswith(begin)), None)
            if up is not None:
                admin_of = f" --admin 127.0.0.1:{admin}" if text.startswith("twistd") else ""
                shell = f"PYTHONUNBUFFERED=1 exec {text.rstrip()}{admin_of}"
                self.start("bash", "-c", shell).says(up)
            elif kind == "sh" and not text.startswith(INSTALL):
                self.paste(f"set -e\n{text}")
            elif kind == "console":
                for step in steps(f"```console\n{text}```\n"):
                    output = self.paste(step.command)
                    self.assertTrue(step.matches(output), f"$ {step.command}\n{output}")
                    asked += 1
        self.assertEqual(asked, 3)
        self.assertIn("Directory listing", (self.folder / "page.html").read_text())
