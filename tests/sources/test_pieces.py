"""Tests of L{edgegate.sources.pieces}."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import cast

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.problems import Problem, Problems, Severity
from edgegate.model.origin import Origin
from edgegate.model.routes import HTTPRoute
from edgegate.routing.hosts import HostTable
from edgegate.routing.snapshot import FilterChain, Snapshot, VirtualHost
from edgegate.sources.pieces import MANY, Pieces, write
from tests.istio.translate.compiling import Collected
from tests.istio.translate.dumping import dump
from tests.istio.translate.test_pickling import snapshots, virtual_hosts


def written(value: object) -> bytes:
    """Return a value in pieces."""
    file = io.BytesIO()
    write(value, file)
    return file.getvalue()


def read(content: bytes, known: dict[bytes, object] | None = None) -> Pieces:
    """Read all pieces."""
    pieces = Pieces(io.BytesIO(content), known or {})
    for _ in pieces:
        pass
    return pieces


def table(*hosts: VirtualHost) -> HostTable[VirtualHost]:
    """Return hosts by their domains."""
    return HostTable([(host.domain, host) for host in hosts])


class PiecesTests(SynchronousTestCase):
    """What goes to another process."""

    def test_equal(self) -> None:
        """All Snapshots of the golden pairs, and of the examples, come whole, with each line of the files."""
        collected = Collected()
        for name, snapshot in snapshots(collected):
            again = read(written(snapshot)).value
            self.assertEqual(again, snapshot, name)
            assert isinstance(again, Snapshot)
            self.assertEqual(dump(again, {}, collected.pairs), dump(snapshot, {}, collected.pairs), name)

    def test_known(self) -> None:
        """What is there already is kept, tables of routes included; what differs is made anew, were it only a line."""
        origin = Origin("shop.yaml", 3, "VirtualService shop")
        first = VirtualHost("a.example", (HTTPRoute("", origin, ()),))
        second = VirtualHost("b.example", (HTTPRoute("", origin, ()),))
        chain = FilterChain("http", origin, http=table(first, second))
        before = read(written(chain))
        assert isinstance(before.value, FilterChain) and before.value.http is not None
        moved = VirtualHost("b.example", (HTTPRoute("", replace(origin, line=4), ()),))
        self.assertEqual(moved, second)
        again = read(written(replace(chain, http=table(first, moved))), before.known).value
        assert isinstance(again, FilterChain) and again.http is not None
        self.assertIs(again.http.lookup("a.example"), before.value.http.lookup("a.example"))
        found = again.http.lookup("b.example")
        assert found is not None
        self.assertEqual(found.routes[0].origin.line, 4)
        self.assertIs(read(written(chain), before.known).value, before.value)

    def test_forgotten(self) -> None:
        """Nothing is known of what was not in the last one."""
        before = read(written((VirtualHost("a.example"), VirtualHost("b.example"))))
        after = read(written((VirtualHost("b.example"),)), before.known)
        self.assertEqual(list(after.known.values()), [VirtualHost("b.example")])

    def test_changeable(self) -> None:
        """Problems that somebody has added to are not those of the next reading."""
        content = written(Problems())
        before = read(content)
        assert isinstance(before.value, Problems)
        before.value.add(Problem("a.yaml", 1, 1, Severity.ERROR, "", "cannot bind"))
        self.assertEqual(list(cast(Problems, read(content, before.known).value)), [])

    def test_interrupted(self) -> None:
        """It can be left between any two hosts; the routes of a host that has very many come a few at a time, too."""
        routes = [HTTPRoute("", Origin("a.yaml", line, "VirtualService a"), ()) for line in range(MANY + 1)]
        few, many = VirtualHost("few.example", tuple(routes[1:])), VirtualHost("many.example", tuple(routes))
        for host, count in ((few, 1), (many, 1 + MANY + 1)):
            pieces = Pieces(io.BytesIO(written((host,))), {})
            self.assertEqual(sum(1 for _ in pieces), count + 1, host.domain)
            self.assertEqual(pieces.value, (host,))

    def test_once(self) -> None:
        """What is in several places goes once."""
        host = VirtualHost("a.example")
        same = VirtualHost("a.example")
        (first, *others) = read(written([host, host, same])).value  # type: ignore[misc]
        self.assertEqual(first, host)
        for each in others:
            self.assertIs(each, first)

    def test_problems(self) -> None:
        """Problems come with their files and lines, and their order."""
        problems = Problems()
        for line in (3, 1, 2):
            problems.add(Problem("a.yaml", line, 1, Severity.WARNING, "spec", "is odd"))
        again = read(written(problems)).value
        assert isinstance(again, Problems)
        self.assertEqual([str(each) for each in again], [str(each) for each in problems])

    def test_tables_stay(self) -> None:
        """Of a host whose table of routes was made already the same comes as of one whose table was not."""
        for _, snapshot in snapshots(Collected()):
            before = written(snapshot)
            for host in virtual_hosts(snapshot):
                host.selector.prepare()
            self.assertEqual(written(snapshot), before)
