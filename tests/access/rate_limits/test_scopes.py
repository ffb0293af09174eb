"""Tests of L{edgegate.access.rate_limits.scopes}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.rate_limits.scopes import Place, effective
from edgegate.model.guards.envoy_rate_limits import (
    Action,
    ActionKind,
    DescriptorRule,
    LocalLimit,
    Scopes,
    Settings,
)

PLACE = Place(("shop.example:80", "shop.example:8080"), "api")


def rule(name: str) -> DescriptorRule:
    """Make a rule."""
    return DescriptorRule((Action(ActionKind.GENERIC_KEY, "k", name),))


A, B, C = rule("a"), rule("b"), rule("c")


class ScopesTests(SynchronousTestCase):
    """What counts in a place."""

    def rules(self, *hosts: tuple[str, Settings], routes: tuple[tuple[str, str, Settings], ...] = ()) -> object:
        """Return the rules that count."""
        return effective(Scopes(hosts, routes), PLACE).rules

    def test_hosts(self) -> None:
        """A virtual host is named with its port, either number of it; several settings are merged."""
        for name, fits in {
            "": True,
            "shop.example:80": True,
            "shop.example:8080": True,
            "shop.example:81": False,
            "shop.example:*": True,
            "other.example:*": False,
            ":80": True,
            ":8": False,
            "*:80": False,
        }.items():
            self.assertEqual(self.rules((name, Settings((A,)))), (A,) if fits else (), name)
        self.assertEqual(self.rules(("", Settings((A,))), ("shop.example:80", Settings((B,)))), (A, B))

    def test_routes(self) -> None:
        """The rules of a route replace those of its virtual host, unless it wants them as well."""
        host = ("", Settings((A,)))
        self.assertEqual(self.rules(host, routes=(("", "api", Settings((B,))),)), (B,))
        self.assertEqual(self.rules(host, routes=(("", "other", Settings((B,))),)), (A,))
        self.assertEqual(self.rules(host, routes=(("other.example:80", "api", Settings((B,))),)), (A,))
        self.assertEqual(self.rules(host, routes=(("", "", Settings((B,), with_host=True)),)), (B, A))
        self.assertEqual(self.rules(host, routes=(("", "", Settings((B,))), ("", "api", Settings((C,))))), (B, C))
        self.assertEqual(self.rules(host, routes=(("", "api", Settings(())),)), ())

    def test_local(self) -> None:
        """The narrowest local limit counts; without one the filter's own does."""
        one, two = LocalLimit("one"), LocalLimit("two")
        self.assertIsNone(effective(Scopes(), PLACE).local)
        self.assertEqual(effective(Scopes((("", Settings(local=one)),)), PLACE).local, one)
        both = Scopes((("", Settings(local=one)),), (("", "api", Settings(local=two)),))
        self.assertEqual(effective(both, PLACE).local, two)
        self.assertEqual(effective(both, Place(PLACE.hosts, "")).local, one)

    def test_owner(self) -> None:
        """Each route, virtual host and listener that a limit is given to has its own buckets of it."""
        one = LocalLimit("one")
        host, route = (("", Settings(local=one)),), (("", "api", Settings(local=one)),)
        place = Place(PLACE.hosts, "api", 80)
        self.assertEqual(effective(Scopes(), place).owner, ":80")
        self.assertEqual(effective(Scopes(host), place).owner, "shop.example:80")
        self.assertEqual(effective(Scopes(host, route), place).owner, "shop.example:80/api")
        self.assertEqual(effective(Scopes(host), Place((), "", 81)).owner, ":81")
