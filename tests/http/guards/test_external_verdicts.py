"""Tests of L{edgegate.http.guards.external_verdicts}; most of it is seen in those of the filter."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.verdict import Action, Outcome, Verdict
from edgegate.http.guards.external_verdicts import changed_head, changed_query, response_mutations
from edgegate.model.authorizers import Authorizer, HeaderNames, Protocol
from tests.http.guards.checking import names
from tests.http.recording import read

AUTHORIZER = Authorizer("a", Protocol.GRPC, "a")
SET = Action.OVERWRITE_IF_EXISTS_OR_ADD
(HEAD,) = read(b"GET /a?b=c HTTP/1.1\r\nHost: a\r\nX-A: 1\r\n\r\n").heads


class ChangedTests(SynchronousTestCase):
    """Requests that may pass."""

    def allowed(self, **what: object) -> Verdict:
        """Make an answer that allows."""
        found = Verdict(Outcome.ALLOWED, 200)
        for name, value in what.items():
            setattr(found, name, value)
        return found

    def test_unchanged(self) -> None:
        """One of which nothing is said stays the same."""
        self.assertIs(changed_head(HEAD, AUTHORIZER, self.allowed()), HEAD)

    def test_headers(self) -> None:
        """What HTTP and the gateway say themselves can't be set, nor what is no header."""
        said = [
            *((b"x-b", b"2", SET), (b"host", b"x", SET), (b"content-length", b"9", SET), (b":path", b"/x", SET)),
            *((b"x-forwarded-for", b"1.1.1.1", SET), (b"x c", b"3", SET), (b"x-d", b"a\r\nb", SET)),
        ]
        found = changed_head(HEAD, AUTHORIZER, self.allowed(request=said))
        self.assertEqual(found.fields, [(b"x-a", b"1"), (b"x-b", b"2")])
        self.assertEqual((found.target, found.authority, HEAD.fields), (b"/a?b=c", b"a", [(b"x-a", b"1")]))

    def test_removed_last(self) -> None:
        """What is removed is gone, also where it was set before (Envoy)."""
        verdict = self.allowed(request=[(b"x-b", b"2", SET)], removed=frozenset({b"x-a", b"x-b"}))
        self.assertEqual(changed_head(HEAD, AUTHORIZER, verdict).fields, [])

    def test_listed(self) -> None:
        """A listed header is the service's alone."""
        authorizer = Authorizer("a", Protocol.HTTP, "a", to_upstream=names(b"x-a"))
        self.assertEqual(changed_head(HEAD, authorizer, self.allowed()).fields, [])
        # however the files spell it, and the client
        for listed in (names(b"x_a"), HeaderNames(prefixes=(b"x_",)), HeaderNames(suffixes=(b"_a",))):
            authorizer = Authorizer("a", Protocol.HTTP, "a", to_upstream=listed)
            self.assertEqual(changed_head(HEAD, authorizer, self.allowed()).fields, [])

    def test_other_spellings(self) -> None:
        """What is set or removed is so in each spelling that some backends take for the same; what is added is not."""
        (head,) = read(b"GET /a HTTP/1.1\r\nHost: a\r\nX_User: admin\r\nX.Role: root\r\nX_Tag: 1\r\n\r\n").heads
        said = [(b"x-user", b"jane", SET), (b"x-tag", b"2", Action.APPEND_IF_EXISTS_OR_ADD)]
        verdict = self.allowed(request=said, removed=frozenset({b"x-role"}))
        expected = [(b"x_tag", b"1"), (b"x-user", b"jane"), (b"x-tag", b"2")]
        self.assertEqual(changed_head(head, AUTHORIZER, verdict).fields, expected)

    def test_query(self) -> None:
        """Parameters are set and taken out; the others stay as they were, and nothing breaks out of a value."""
        for target, to_set, removed, expected in (
            (b"/a?b=c&d", [(b"b", b"1")], (), b"/a?d&b=1"),
            (b"/a", [(b"b", b"1")], (), b"/a?b=1"),
            (b"/a?b=c&b=d&e=%20", [], (b"b",), b"/a?e=%20"),
            (b"/a?b=c", [], (b"b",), b"/a"),
            (b"/a?%62=c&d=e", [], (b"b",), b"/a?d=e"),
            (b"/a?us%65r=admin&a+b", [(b"user", b"jane")], (b"a b",), b"/a?user=jane"),
            (b"/a?x", [(b"y", b"1&z=2 #\xff")], (), b"/a?x&y=1%26z=2%20%23%FF"),
        ):
            verdict = self.allowed(query_set=to_set, query_removed=frozenset(removed))
            self.assertEqual(changed_query(target, verdict), expected)
        found = changed_head(HEAD, AUTHORIZER, self.allowed(query_set=[(b"b", b"1")]))
        self.assertEqual((found.target, found.path), (b"/a?b=1", b"/a"))

    def test_response(self) -> None:
        """Of the response's head, too, only what passes can be set."""
        said = [
            (b"set-cookie", b"a=1", SET),
            (b"content-length", b"1", SET),
            (b"x", b"\0", SET),
            (b"server", b"x", SET),
        ]
        self.assertEqual(response_mutations(self.allowed(response=said)), said[:1])
