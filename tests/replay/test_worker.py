"""Tests of L{edgegate.replay.worker}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.replay.comparison import AgainstFiles, AgainstLog
from edgegate.replay.findings import Verdict
from edgegate.replay.formats.recognition import NAMED, format_of
from edgegate.replay.log_file import Piece
from edgegate.replay.routing import Routing
from edgegate.replay.worker import Log, Worker
from tests.replay.files import ROUTES, files, side

OLD = Routing(side(files()))
NEW = Routing(side(files(ROUTES.replace("/cart", "/basket").replace("exact: qa", "exact: qi"))))
FORMAT = format_of('$remote_addr "$request" $status $http_host $server_port $scheme "$http_x_user" "$http_user_agent"')


HOSTS = ("shop.example", "plain.example")


def line(target: str = "/cart", user: str = "qx", host: str = "shop.example", agent: str = "curl") -> bytes:
    """Return a line."""
    return f'10.0.0.1 "GET {target} HTTP/1.1" 200 {host} 80 http "{user}" "{agent}"'.encode()


class WorkerTests(SynchronousTestCase):
    """Lines that are replayed."""

    def worker(self, most_known: int = 100) -> Worker:
        """Return a worker that compares two sides."""
        return Worker([Log("a.log", FORMAT)], AgainstFiles(OLD, NEW, {}), answers=False, most_known=most_known)

    def replay(self, worker: Worker, *lines: bytes) -> Worker:
        """Replay lines."""
        worker.replay(Piece(0, 0, 0, b"\n".join(lines) + b"\n"))
        return worker

    def test_counts(self) -> None:
        """Each line is counted once, and those that ask for the same are routed once."""
        lines = [line(), line("/x"), line(), line("/x", agent="other"), b"nonsense", line("/x"), line("/x", user="qi")]
        tally = self.replay(self.worker(), *lines).tally
        self.assertEqual((tally.count(Verdict.OTHERWISE), tally.count(Verdict.SAME)), (3, 3))
        self.assertEqual(sum(group.count for _, group in tally.unread()), 1)
        self.assertEqual(tally.decided, 4)
        self.assertEqual(tally.lines, {(0, 0): len(lines)})

    def test_header_decides(self) -> None:
        """Where routes ask about a header, requests that differ in it are told apart."""
        tally = self.replay(self.worker(), *[line("/x", user) for user in ("qa", "qi", "qa", "qx")]).tally
        self.assertEqual({finding.old.route for finding, _ in tally.found(Verdict.OTHERWISE)}, {"qa", "rest"})
        self.assertEqual(tally.count(Verdict.OTHERWISE), 3)

    def test_equal_hosts(self) -> None:
        """Where a host's routes are the same, nothing but the request line tells requests apart."""
        lines = [line(f"/x?{number}", str(number), "plain.example") for number in range(10)]
        tally = self.replay(self.worker(), *lines).tally
        self.assertEqual((tally.count(Verdict.SAME), tally.decided), (10, 1))

    def test_odd_query(self) -> None:
        """A query that no URL may have is not taken for one that is left out."""
        lines = [line("/x?a", host="plain.example"), line(r"/x?a\x0a", host="plain.example")]
        tally = self.replay(Worker([Log("", FORMAT)], AgainstLog(NEW), answers=True), *lines).tally
        summaries = {finding.new.summary for verdict in Verdict for finding, _ in tally.found(verdict)}
        self.assertEqual(summaries, {"to 127.0.0.3:82", "400 (malformed request)"})

    def test_bounded(self) -> None:
        """What is remembered has a bound; what was forgotten is routed again, and counted rightly."""
        worker = self.worker(most_known=4)
        self.replay(worker, *[line(f"/{number % 9}") for number in range(90)])
        self.assertEqual(worker.tally.count(Verdict.SAME), 90)
        self.assertGreater(worker.tally.decided, 9)
        self.assertLess(len(worker._known_wide[0]), 6)

    def test_bounded_together(self) -> None:
        """The bound is that of all logs together, whatever routes ask about."""
        logs = [Log(name, FORMAT) for name in ("a.log", "b.log", "c.log")]
        worker = Worker(logs, AgainstFiles(OLD, NEW, {}), answers=False, most_known=10)
        data = b"\n".join([line(f"/{number}", host=host) for number in range(20) for host in HOSTS])
        for log in range(3):
            worker.replay(Piece(log, 0, 0, data))
        self.assertEqual(worker.tally.count(Verdict.SAME), 120)
        kept = sum(map(len, (*worker._known, *worker._known_wide)))
        self.assertLessEqual(kept, 10)
        self.assertEqual(kept, worker._remembered)

    def test_long(self) -> None:
        """Long requests are replayed, and not remembered."""
        tally = self.replay(self.worker(), *[line("/" + "x" * 2000)] * 2).tally
        self.assertEqual((tally.count(Verdict.SAME), tally.decided), (2, 2))

    def test_answers(self) -> None:
        """Where answers count they tell requests apart."""
        lines = [line("/old").replace(b" 200 ", b" %d " % status) for status in (200, 301, 301)]
        tally = self.replay(Worker([Log("", FORMAT)], AgainstLog(OLD), answers=True), *lines).tally
        self.assertEqual((tally.count(Verdict.OTHERWISE), tally.count(Verdict.SAME)), (1, 2))

    def test_no_request(self) -> None:
        """Lines of relays are counted by themselves."""
        text = (
            b'[2026-03-01T12:00:00.082Z] "- - -" 0 - - - "-" 7 9 3 - "-" "-" "-" "-" "10.1.0.1:80" c '
            b"10.1.0.254:1 10.0.0.1:5432 10.0.0.9:4 - db.yaml:3"
        )
        worker = Worker([Log("", NAMED["edgegate"])], AgainstLog(OLD), answers=True)
        ((why, group),) = self.replay(worker, text).tally.unread()
        self.assertIn("no request", why)
        self.assertEqual(group.examples[0].text[:10], "[2026-03-0")
