"""Tests of L{edgegate.access.http_check}."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.http_check import fields_of, joined, target_of, verdict_of
from edgegate.access.verdict import Action, Outcome, mutated
from edgegate.model.authorizers import Authorizer, HeaderNames, Protocol

SET, ADD = Action.OVERWRITE_IF_EXISTS_OR_ADD, Action.APPEND_IF_EXISTS_OR_ADD


def authorizer(**what: Any) -> Authorizer:
    """Make a service."""
    return Authorizer("login", Protocol.HTTP, "outbound|80||login", **what)


def names(*exact: bytes, prefixes: tuple[bytes, ...] = ()) -> HeaderNames:
    """Make a list of names."""
    return HeaderNames(exact, prefixes)


class CheckTests(SynchronousTestCase):
    """What is sent."""

    def test_target(self) -> None:
        """The prefix stands in front of path and query, as text."""
        for prefix, target, sent in (
            (b"", b"/a?b=c", b"/a?b=c"),
            (b"/check", b"/a?b=c", b"/check/a?b=c"),
            (b"/check/", b"/a", b"/check//a"),
            (b"", b"*", b"*"),
            (b"/check", b"*", b"/check"),
        ):
            self.assertEqual(target_of(authorizer(path_prefix=prefix), target), sent)

    def test_fields(self) -> None:
        """What is listed is sent, with its values joined; authorization is always, and what is said besides."""
        fields = [
            *((b"accept", b"a/b"), (b"cookie", b"a=1"), (b"x-a", b"1"), (b"x-a", b"2"), (b"cookie", b"b=2")),
            *((b"authorization", b"Basic x"), (b"te", b"trailers"), (b"x-secret", b"s")),
        ]
        found = fields_of(authorizer(sent=names(b"cookie", b"te", prefixes=(b"x-a",))), fields, [], b"10.0.0.9", None)
        self.assertEqual(
            found,
            [
                *((b"cookie", b"a=1; b=2"), (b"x-a", b"1,2"), (b"authorization", b"Basic x")),
                *((b"x-forwarded-for", b"10.0.0.9"), (b"x-envoy-internal", b"true")),
            ],
        )

    def test_added_empty(self) -> None:
        """What is added stands in place of the client's own, also where there is nothing to say."""
        fields = [(b"x-role", b"admin"), (b"x-a", b"1")]
        sent = authorizer(sent=names(prefixes=(b"x-",)))
        for value, expected in ((b"", []), (b"guest", [(b"x-role", b"guest")])):
            found = fields_of(sent, fields, [(b"x-role", value)], b"", None)
            self.assertEqual(found, [(b"x-a", b"1"), *expected, (b"x-envoy-internal", b"true")])

    def test_hops(self) -> None:
        """The client's addresses are told where they are listed, and the gateway's own behind them."""
        fields = [(b"x-forwarded-for", b"192.0.2.1,192.0.2.2")]
        found = dict(fields_of(authorizer(sent=names(b"x-forwarded-for")), fields, [], b"10.0.0.9", None))
        self.assertEqual(found[b"x-forwarded-for"], b"192.0.2.1,192.0.2.2,10.0.0.9")
        self.assertNotIn(b"x-forwarded-for", dict(fields_of(authorizer(), fields, [], b"", None)))

    def test_added(self) -> None:
        """What the files add replaces what the client says."""
        fields = [(b"x-a", b"forged"), (b"authorization", b"forged")]
        added = [(b"x-a", b"1"), (b"authorization", b"2"), (b"content-length", b"99")]
        found = fields_of(authorizer(sent=names(b"x-a")), fields, added, b"", None)
        self.assertEqual(found[:2], added[:2])
        self.assertEqual(len(found), 3)

    def test_partial(self) -> None:
        """Whether the body is whole is the gateway's to say."""
        fields = [(b"x-envoy-auth-partial-body", b"false")]
        lists = authorizer(sent=names(prefixes=(b"x-",)))
        for partial, said in ((None, None), (True, b"true"), (False, b"false")):
            found = fields_of(lists, fields, [], b"", partial)
            self.assertEqual(dict(found).get(b"x-envoy-auth-partial-body"), said)

    def test_joined(self) -> None:
        """Names stay in their order."""
        self.assertEqual(joined([(b"b", b"1"), (b"a", b"2"), (b"b", b"3")]), [(b"b", b"1,3"), (b"a", b"2")])


class AnswerTests(SynchronousTestCase):
    """What comes back."""

    def test_only_200_allows(self) -> None:
        """Other statuses of success and redirects are refusals, and errors of the service are no answers."""
        for status, outcome in (
            *((200, Outcome.ALLOWED), (201, Outcome.DENIED), (202, Outcome.DENIED), (204, Outcome.DENIED)),
            *((302, Outcome.DENIED), (401, Outcome.DENIED), (404, Outcome.DENIED)),
            *((500, Outcome.FAILED), (503, Outcome.FAILED)),
        ):
            found = verdict_of(authorizer(status_on_error=418), status, [], b"body")
            self.assertIs(found.outcome, outcome)
            self.assertEqual(found.status, 418 if outcome is Outcome.FAILED else status)
            self.assertEqual(found.body, b"body" if outcome is Outcome.DENIED else b"")

    def test_allowed(self) -> None:
        """Of an answer that allows only what is listed counts; several fields of a name stay several."""
        lists = authorizer(to_upstream=names(b"x-user", b"x-group"), to_client=names(b"set-cookie"))
        fields = [
            *((b"x-user", b"jane"), (b"x-group", b"a"), (b"x-group", b"b"), (b"x-other", b"c")),
            *((b"set-cookie", b"s=1"), (b"set-cookie", b"t=2")),
        ]
        found = verdict_of(lists, 200, fields, b"ignored")
        forged = [(b"x-user", b"admin"), (b"x-user", b"root"), (b"x-other", b"mine")]
        self.assertEqual(
            mutated(forged, found.request),
            [(b"x-other", b"mine"), (b"x-user", b"jane"), (b"x-group", b"a"), (b"x-group", b"b")],
        )
        self.assertEqual(found.response, [(b"set-cookie", b"s=1", ADD), (b"set-cookie", b"t=2", ADD)])

    def test_removed(self) -> None:
        """A service may have headers removed, but not the host."""
        fields = [(b"x-envoy-auth-headers-to-remove", b"X-A, x-b,, host,:path"), (b"x-a", b"1")]
        found = verdict_of(authorizer(to_upstream=names(b"x-a")), 200, fields, b"")
        self.assertEqual((found.removed, found.request), (frozenset({b"x-a", b"x-b"}), [(b"x-a", b"1", SET)]))

    def test_denied(self) -> None:
        """A refused client gets all headers, or those that are listed and what it needs for a login."""
        fields = [
            *((b"location", b"/login"), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"www-authenticate", b"X")),
            *((b"x-debug", b"1"), (b"host", b"x"), (b"content-length", b"3")),
        ]
        self.assertEqual(verdict_of(authorizer(), 302, fields, b"").fields, fields[:5])
        listed = verdict_of(authorizer(to_denied=names(b"set-cookie")), 302, fields, b"")
        self.assertEqual(listed.fields, fields[:4])
