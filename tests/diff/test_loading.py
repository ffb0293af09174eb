"""Tests of L{edgegate.diff.loading}."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.diff.comparison import compare
from edgegate.diff.loading import load_both, side
from edgegate.sources.folder import Folder
from edgegate.sources.loading import LoadOptions
from tests.diff.test_comparison import BASE
from tests.tls.handshakes import AUTHORITY, SERVER


def files(path: str, text: str) -> Folder:
    """Write a folder, with real key material."""
    folder = Path(path)
    folder.mkdir()
    for name in ("shop certificate", "admin certificate"):
        text = text.replace(name, _quoted(SERVER.chain_pem))
    text = text.replace("shop key", _quoted(SERVER.key_pem)).replace("admin key", _quoted(SERVER.key_pem))
    (folder / "a.yaml").write_text(text.replace("clients' authority", _quoted(AUTHORITY.own.chain_pem)))
    return Folder(path)


def _quoted(pem: bytes) -> str:
    return '"' + pem.decode("ascii").replace("\n", "\\n") + '"'


def taken(selector: dict[str, str] | None = None, port_map: dict[int, int] | None = None) -> LoadOptions:
    """Return how files are taken, the rest of it as usual."""
    return LoadOptions(
        selector=selector, port_map=port_map or {}, ignored_kinds=(), gateway_namespace=None, certificate_issuer=None
    )


class LoadTests(SynchronousTestCase):
    """Both sides at one time."""

    def test_processes(self) -> None:
        """One process or two: they find the same."""
        old, new = files(self.mktemp(), BASE), files(self.mktemp(), BASE.replace("timeout: 5s", "timeout: 9s"))
        options = taken({"istio": "edge"}, {80: 8080})
        for much in (0, 1 << 30):
            before, after = load_both(old, new, options, much)
            self.assertIsNotNone(before.snapshot, list(before.problems))
            found = compare(side("old", before), side("new", after))
            self.assertEqual([str(each) for each in found.differences[0].fields], ["timeout: 5 s -> 9 s"])
            assert found.differences[0].witness is not None
            self.assertEqual(found.differences[0].witness.bound, 8080)
            self.assertTrue(compare(side("old", before), side("old", before)).equal)

    def test_errors(self) -> None:
        """Errors are among the problems of the side that has them, in whichever process it is read."""
        old, new = files(self.mktemp(), BASE.replace("prefix: /cart", "bogus: 1")), files(self.mktemp(), BASE)
        for much in (0, 1 << 30):
            before, after = load_both(old, new, taken(), much)
            self.assertIsNone(before.snapshot)
            self.assertIsNotNone(after.snapshot)
            self.assertIn("bogus", "".join(map(str, before.problems)))
