"""Tests that a Snapshot can be sent to another process: it pickles, and serves there what it does here."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.manifest import read
from edgegate.config.problems import Problems
from edgegate.istio.decode import decode
from edgegate.model.matching import Kind
from edgegate.model.routes import HTTPRoute
from edgegate.routing.snapshot import Snapshot, VirtualHost
from edgegate.sources.compilation import compile_resources
from tests.istio.translate.compiling import Collected
from tests.istio.translate.dumping import dump
from tests.istio.translate.test_golden import GOLDEN, options_of
from tests.routing.test_matching import Asked

ETC = Path(__file__).parents[3] / "etc"


def snapshots(collected: Collected) -> Iterator[tuple[str, Snapshot]]:
    """Yield the Snapshots of all golden pairs that are in order, and of each folder of C{etc/}."""
    texts = {path.name: path.read_text() for path in sorted(GOLDEN.glob("*.in.yaml"))}
    for folder in sorted({path.parent for path in ETC.rglob("*.yaml")}):
        texts[str(folder)] = "\n---\n".join(path.read_text() for path in sorted(folder.glob("*.yaml")))
    for name, text in texts.items():
        problems = Problems()
        resources = decode(read(name, text, problems), problems)
        yield name, compile_resources(resources, options_of(text, collected), problems).snapshot


def virtual_hosts(snapshot: Snapshot) -> Iterator[VirtualHost]:
    """Yield all virtual hosts."""
    for listener in snapshot.listeners:
        for chain in listener.chains():
            for _, host in chain.http.items() if chain.http is not None else ():
                yield host


def requests(routes: tuple[HTTPRoute, ...]) -> Iterator[Asked]:
    """Yield requests for the paths that routes ask for, and for others."""
    yield from (Asked(path=b"/"), Asked(path=b"/nothing/of/it"))
    for route in routes:
        for match in route.matches:
            if match.uri is not None and match.uri.kind in (Kind.EXACT, Kind.PREFIX):
                path = match.uri.value.encode()
                yield from (Asked(path=path), Asked(path=path + b"/more"), Asked(path=path.upper()))


class PicklingTests(SynchronousTestCase):
    """Snapshots that went through a pickle."""

    def test_equal(self) -> None:
        """It is equal, and says the same, whether tables were made of it before or not."""
        collected = Collected()
        for name, snapshot in snapshots(collected):
            for _ in range(2):
                again = pickle.loads(pickle.dumps(snapshot))
                self.assertEqual(again, snapshot, name)
                self.assertEqual(dump(again, {}, collected.pairs), dump(snapshot, {}, collected.pairs), name)
                for host in virtual_hosts(snapshot):
                    host.selector.prepare()

    def test_no_secrets(self) -> None:
        """Nothing of a private key is in it: key material is named."""
        collected = Collected()
        for name, snapshot in snapshots(collected):
            pickled = pickle.dumps(snapshot)
            for key in (pair.key for pair in collected.pairs.values() if len(pair.key) > len("chain")):
                self.assertNotIn(key, pickled, name)
        self.assertTrue(collected.pairs)

    def test_served(self) -> None:
        """Requests have the same routes, which do the same with them."""
        for name, snapshot in snapshots(Collected()):
            again = pickle.loads(pickle.dumps(snapshot))
            for before, after in zip(virtual_hosts(snapshot), virtual_hosts(again), strict=True):
                for asked in requests(before.routes):
                    expected, found = before.selector.select(asked), after.selector.select(asked)
                    self.assertEqual(found, expected, (name, asked))
                    if expected is not None and found is not None:
                        self.assertEqual(served(found), served(expected), (name, asked))


def served(route: HTTPRoute) -> tuple[object, ...]:
    """Return what a route makes of a path, and of an origin."""
    changes = [each.request for each in route.destinations if each.request is not None]
    paths = [each.path.of(b"/a/b?c") for each in changes if each.path is not None]
    return (
        route.origin,
        route.filtered,
        route.expected,
        paths,
        route.cors and route.cors.allowed.include(b"https://a.example"),
    )
