"""Tests of L{edgegate.replay.replaying}."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.diff.sides import Side
from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import Endpoint
from edgegate.replay.findings import Tally, Verdict
from edgegate.replay.replaying import CannotReplay, Replay, Wishes
from tests.replay.files import ROUTES, files, side
from tests.replay.logged import EDGEGATE, lines

BOTH = side(files())


class ReplayTests(SynchronousTestCase):
    """From logs to what was found."""

    def write(self, name: str, data: bytes) -> str:
        """Make a log."""
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / name).write_bytes(data)
        return str(folder / name)

    def replay(self, names: list[str], wishes: Wishes, old: Side | None = None, new: Side = BOTH) -> Tally:
        """Replay logs."""
        replaying = Replay(names, old, new, wishes)
        self.addCleanup(replaying.close)
        self.formats = [log.format.name for log in replaying.logs]
        return replaying.run(lambda done: None)

    def refused(self, name: str, wishes: Wishes) -> str:
        """Return why a log can't be replayed."""
        with self.assertRaises(CannotReplay) as caught:
            Replay([name], None, BOTH, wishes)
        return str(caught.exception).replace(name, "LOG")

    def test_several(self) -> None:
        """Logs of several programs are told apart by their lines."""
        names = [
            self.write("a.log", b"".join(lines("nginx-json.log"))),
            self.write("b.log", b"".join(lines("apache-vhost_combined.log"))),
            self.write("c.log", (EDGEGATE % b"curl").replace(b"webapp.example", b"plain.example")),
        ]
        found = self.replay(names, Wishes(ports={8080: 80}))
        self.assertEqual(self.formats, ["json with nginx's names", "vhost_combined", "edgegate"])
        self.assertEqual(found.lines, {(0, 0): 12, (1, 0): 12, (2, 0): 1})
        self.assertEqual(found.count(*Verdict), 18)

    def test_host(self) -> None:
        """Where lines do not say the host, the user does, or the name of the log, if it is one of the files."""
        data = b"".join(lines("nginx-combined.log"))
        for name in (
            *("shop.example.log", "shop.example-access.log.1", "shop.example_access.log-20260301.gz"),
            *("access.shop.example.log", "shop.example.access_log"),
        ):
            if name.endswith("access_log"):
                self.assertIn("--host says it", self.refused(self.write(name, data), Wishes()))
            else:
                self.assertEqual(self.replay([self.write(name, data)], Wishes(port=80)).count(*Verdict), 9, name)
        self.assertIn(
            "begins with xn--", self.refused(self.write("access.log", data), Wishes(host="b\u00fccher.example"))
        )
        for name in ("access.log", "other.example.log", "a b.log"):
            self.assertEqual(
                self.refused(self.write(name, data), Wishes()),
                "LOG: its lines (combined) do not say which host was asked for: --host says it",
            )
        found = self.replay([self.write("access.log", data)], Wishes(host="nobody.example", port=80))
        self.assertEqual(
            {each.new.summary for each, _ in found.found(Verdict.OTHERWISE)} - {"400 (malformed request)"},
            {"404 (no route)"},
        )

    def test_refused(self) -> None:
        """A log that is not there, or of no format that is known, is told by its name."""
        self.assertEqual(self.refused("nothere.log", Wishes()), "LOG: No such file or directory")
        name = self.write("odd.log", b"hello\n")
        self.assertIn("LOG: its lines have no format that is known", self.refused(name, Wishes()))
        self.assertIn("--format: it is none of", self.refused(name, Wishes(format="bogus")))

    def test_renamed_cluster(self) -> None:
        """A backend that is only called otherwise is no difference; one with other endpoints is."""
        name = self.write("shop.example.log", b"".join(lines("nginx-combined.log")))
        cluster = next(name for name in BOTH.snapshot.clusters if "127.0.0.1" in name)
        old, new = (
            Side(which, BOTH.snapshot, {cluster: (Endpoint(TCPAddress("10.0.0.1", port)),)})
            for which, port in (("old", 80), ("new", 81))
        )
        self.assertEqual(self.replay([name], Wishes(port=80), old, old).count(Verdict.SAME), 9)
        found = self.replay([name], Wishes(port=80), old, new)
        changes = [change for finding, _ in found.found(Verdict.MAYBE) for change in finding.changes]
        self.assertTrue(any("endpoints: 10.0.0.1:80 -> 10.0.0.1:81" in change for change in changes), changes)

    def test_against(self) -> None:
        """Older and newer files are compared, whatever the log says of the answers."""
        name = self.write("shop.example.log", b"".join(lines("nginx-combined.log")))
        newer = side(files(ROUTES.replace("/new", "/newer")))
        found = self.replay([name], Wishes(port=80), BOTH, newer)
        self.assertEqual((found.count(Verdict.SAME), found.count(Verdict.MAYBE)), (8, 1))
