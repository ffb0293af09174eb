"""Tests for L{edgegate.diff.policies}, and for what comparisons tell of policies."""

from __future__ import annotations

import re
from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.diff.policies import between_policies, policies_of
from edgegate.model.authorizers import Authorizer, HeaderNames, Protocol
from edgegate.model.guards.authorization import Action, Rule, Rules
from edgegate.model.guards.credentials import BasicAuth
from edgegate.model.guards.external_authorization import ExternalAuthorization
from edgegate.model.guards.guard import Guard
from edgegate.model.guards.oidc import OIDC, OIDCClient
from edgegate.model.origin import Origin
from tests.diff.compared import compared, told
from tests.istio.translate.compiling import gateway, route, virtual_service
from tests.istio.translate.guards.test_targets import policy, target

WEB = gateway("gw", "80 HTTP a.example") + gateway("other", "80 HTTP b.example") + gateway("tcp", "9000 TCP *")
ROUTES = (
    virtual_service(
        "vs", "a.example", f"http: [{route(name='one', match='[{uri: {prefix: /x}}]')}, {route(name='two')}]"
    )
    + virtual_service("b", "b.example", f"http: [{route()}]", "other")
    + virtual_service("tcp", "*", f"tcp: [{route()}]", "tcp")
)
PORT = "port 80, in the clear"
FILES = WEB + ROUTES
OF_GATEWAY = policy(target("Gateway", "gw"))


def lines(old: str, new: str) -> list[str]:
    """Return what is told of a change, without digests."""
    findings = compared(old, new)
    assert not findings.undecided, findings.undecided
    return [re.sub(r"\([0-9a-f]{8}\)", "(..)", told(change)) for change in findings.changes()]


class PoliciesTests(SynchronousTestCase):
    """Changes of policies."""

    def test_equal(self) -> None:
        """The same policies, wherever they are said, are no change."""
        for each in (OF_GATEWAY, policy(), policy(target("VirtualService", "vs", "one"))):
            self.assertEqual(lines(FILES + each, each + FILES), [])

    def test_server(self) -> None:
        """A policy on a server is told of its port, also where bytes are relayed."""
        self.assertEqual(
            lines(FILES, FILES + OF_GATEWAY),
            [f"Ports | {PORT} | policies: none -> AddressListPolicy default/p (..) | {PORT}"],
        )
        (found,) = lines(FILES, FILES + policy(target("Gateway", "tcp")))
        self.assertIn("port 9000", found)

    def test_host(self) -> None:
        """One that moves from one host of a port to another is told of both."""
        found = lines(FILES + OF_GATEWAY, FILES + policy(target("Gateway", "other")))
        self.assertEqual(len(found), 2, found)
        self.assertTrue(all("policies: " in each for each in found), found)

    def test_route(self) -> None:
        """One on a route is told with a request that takes it."""
        findings = compared(FILES, FILES + policy(target("VirtualService", "vs", "one")))
        (change,) = findings.changes()
        (witness,) = change.witnesses
        self.assertTrue(witness.question.target.startswith(b"/x"))
        self.assertIn("policies: none -> AddressListPolicy default/p", told(change))

    def test_content(self) -> None:
        """Another list under the same name is told, too."""
        (found,) = lines(FILES + OF_GATEWAY, FILES + OF_GATEWAY.replace("192.0.2.1", "192.0.2.2"))
        self.assertIn("policies: AddressListPolicy default/p (..) -> AddressListPolicy default/p (..)", found)

    def test_words(self) -> None:
        """What both have is left out; another order is told as a whole."""
        one, two = (Guard(f"n/{name}", Origin("a", 1, f"K n/{name}")) for name in ("one", "two"))
        (change,) = between_policies(policies_of((one, two)), policies_of((one,)))
        self.assertEqual(change.new, "none")
        self.assertTrue(change.old.startswith("K n/two ("))
        self.assertEqual(len(between_policies(policies_of((one, two)), policies_of((two, one)))), 1)
        self.assertEqual(between_policies(policies_of((one,)), policies_of((one,))), ())


class SecretTests(SynchronousTestCase):
    """Policies that hold secrets."""

    def test_told(self) -> None:
        """A password that was changed is a change; its hash is not told, nor what others could try passwords on."""
        one, other = (
            BasicAuth("default/p", Origin("f", 1, "BasicAuthPolicy default/p"), ((b"ali", text),), b"p")
            for text in (b"$2y$10$one", b"$2y$10$other")
        )
        (change,) = between_policies(policies_of((one,)), policies_of((other,)))
        self.assertRegex(change.old, r"^BasicAuthPolicy default/p \([0-9a-f]{8}\)$")
        self.assertEqual(change.new, f"{change.old}, other secrets")
        self.assertNotIn("$2y$", str(change))
        self.assertEqual(policies_of((one,)), policies_of((replace(one),)))

    def test_within(self) -> None:
        """So is one that is a part of a part; where there is none, none is told of."""
        client = OIDCClient("https://id.example", "me", b"secret")
        login = OIDC("default/o", Origin("f", 1, "OIDCPolicy default/o"), client, ())
        other = replace(login, provider=replace(client, secret=b"other"))
        self.assertNotEqual(policies_of((login,)), policies_of((other,)))
        none = replace(login, provider=replace(client, secret=b""))
        self.assertNotEqual(policies_of((login,)), policies_of((none,)))

    def test_place(self) -> None:
        """Where a policy is said, its rules and what it names, makes no other of it, and is no secret."""
        one, two = (replace(said(line), name="n/p") for line in (1, 7))
        self.assertEqual(policies_of((one,)), policies_of((two,)))
        self.assertNotEqual(policies_of((one,)), policies_of((said(1, "other"),)))


def said(line: int, provider: str = "a") -> ExternalAuthorization:
    """Make a policy that is said at a line."""
    origin = Origin("in.yaml", line, "AuthorizationPolicy n/p", ("spec",))
    rules = Rules(Action.CUSTOM, (Rule("r", origin=origin),))
    names = HeaderNames((b"a", b"b", b"c"))
    return ExternalAuthorization(
        "n/p", origin, rules, Authorizer(provider, Protocol.HTTP, "c", sent=names, origin=origin)
    )
