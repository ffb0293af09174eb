"""Tests of L{edgegate.access_log.conditions}."""

from __future__ import annotations

from typing import Any

from edgegate.access_log.conditions import condition
from edgegate.access_log.record import LogRecord
from tests.access_log.records import AHEAD, ENDED, RecordCase


class ConditionTests(RecordCase):
    """What filters let through."""

    def holds(self, expression: str, ended: Any = None) -> bool:
        """Whether something is logged."""
        return condition(expression)(LogRecord(self.exchange if ended is None else ended, ENDED, AHEAD))

    def test_hold(self) -> None:
        """Expressions of Istio's documentation, and of others' guides."""
        self.exchange.head.fields.append((b"referer", b"http://a"))
        for expression in (
            "response.code >= 200",
            "response.code == 200 && request.method == 'GET'",
            "request.url_path.startsWith('/new')",
            "request.path == '/new?b=c'",
            "request.host.endsWith('.example')",
            "request.headers['x-added'] == 'yes'",
            "'x-added' in request.headers && !('x-none' in request.headers)",
            "has(request.headers.user) || !has(request.headers['x-none'])",
            "!has(request.useragent) || !request.useragent.startsWith('kube-probe')",
            "request.duration > duration('10ms') && request.duration < duration('1s')",
            "duration('1s') + duration('500ms') == duration('1500ms') && string(duration('90s')) == '90s'",
            "response.backend_latency >= duration('9ms')",
            "request.duration < duration('1h30m') && duration('1h30m') == duration('90m')",
            r"request.path.matches(r'^/n\ww') && request.path == '\x2fnew?b\075c'",
            "response.code == 0xC8 // so it went well",
            "string(destination.port) != '' && source.port > 0",
            "request.method in ['GET', 'POST']",
            "request.path.matches('^/n.w') && !request.path.matches('x$')",
            "size(request.path) == 8 && request.path.size() == 8",
            "int('7') + 1 == 8 && double('1.5') < 2.0 && 'a' + 'b' == 'ab'",
            "connection.mtls ? false : true",
            "response.flags == 0 && size(response.short_flags) == 0",
            "xds.route_name != '' && xds.cluster_name == 'outbound|80||web'",
            "response.size == 5 && upstream.address == '10.0.1.1:8080'",
            "sample(100)",
        ):
            self.assertTrue(self.holds(expression), expression)

    def test_metadata(self) -> None:
        """What policies have found out."""
        self.assertFalse(self.holds("has(metadata.filter_metadata['jwt'].payload)"))
        claims = {"sub": "ali", "n": 3, "groups": ["a", "b"], "ok": True, "huge": 10**400, "deep": {"x": None}}
        self.exchange.note("jwt", {"payload": claims, "kept": object()})
        for expression, holds in (
            ("metadata.filter_metadata['jwt'].payload.sub == 'ali'", True),
            ("metadata.filter_metadata['jwt']['payload']['n'] == 3", True),
            ("'a' in metadata.filter_metadata['jwt'].payload.groups", True),
            ("metadata.filter_metadata.jwt.payload.groups[1] == 'b'", True),
            ("metadata.filter_metadata.jwt.payload.ok", True),
            ("'sub' in metadata.filter_metadata.jwt.payload", True),
            ("metadata.filter_metadata.jwt.payload.deep.x == null", True),
            ("has(metadata.filter_metadata.jwt.payload.none)", False),
            ("metadata.filter_metadata.jwt.payload.huge > 1.0", False),
            ("metadata.filter_metadata.jwt.kept == 'a'", False),
            ("metadata.filter_metadata.jwt.payload == 'a'", False),
            ("metadata.filter_metadata.jwt.payload.sub.more == 'a'", False),
            ("metadata.filter_metadata == 'a'", False),
            ("metadata.filter_metadata.jwt.payload > 1", False),
            ("size(metadata.filter_metadata) > 0", False),
        ):
            self.assertIs(self.holds(expression), holds, expression)

    def test_do_not_hold(self) -> None:
        """What is not so, is no boolean, or is an error, is not logged."""
        self.exchange.head.fields.append((b"x-nines", b"9" * 4300))
        for expression in (
            "response.code >= 400",
            "response.code",
            "request.headers['x-none'] == 'a'",
            "request.headers['x-none'] != 'a'",
            "response.code > 'a'",
            "true == 1",
            "1 + 'a' == 2",
            "int(request.method) == 1",
            "duration(request.method) > duration('1s')",
            "!response.code",
            "int(double('inf')) == 1",
            "int(double('nan')) == 1",
            "double(int(request.headers['x-nines'])) > 1.0",
            "string(int(request.headers['x-nines']) + int(request.headers['x-nines'])) != '1'",
            "duration('1s') == 1.0",
            "duration('1s') > 0",
            "request.path && true",
            "1 in 2",
            "sample(0)",
        ):
            self.assertFalse(self.holds(expression), expression)

    def test_forgiving(self) -> None:
        """A side of || or && that decides does so, whatever is wrong with the other."""
        wrong = "request.headers['x-none'] == 'a'"
        for expression, holds in (
            (f"{wrong} || true", True),
            (f"true || {wrong}", True),
            (f"{wrong} || false", False),
            (f"!({wrong} && false)", True),
            (f"!(false && {wrong})", True),
            (f"!({wrong} && true)", False),
        ):
            self.assertIs(self.holds(expression), holds, expression)
