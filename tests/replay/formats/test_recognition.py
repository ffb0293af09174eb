"""Tests of L{edgegate.replay.formats.recognition}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.observe.log_lines import NAMES, json_line
from edgegate.replay.formats import columns
from edgegate.replay.formats.escapes import UNESCAPE
from edgegate.replay.formats.reading import NO_LINE, NO_REQUEST_LINE, LineFormat
from edgegate.replay.formats.recognition import NAMED, UnknownFormat, format_of, recognised, says_host
from tests.replay.logged import BYTES, EDGEGATE, ENVOY, QUERY, QUOTES, lines

SHOWN = (columns.METHOD, columns.PATH, columns.QUERY, columns.header("user-agent"))


def told(form: LineFormat, line: bytes, wanted: tuple[str, ...]) -> tuple[bytes | None, ...] | str:
    """Return what a line says, unescaped."""
    reader = form.reader(wanted)
    values = reader.read(line)
    if isinstance(values, str):
        return values
    said = dict(zip(reader.columns, values, strict=True))
    found = [said[name] for name in wanted]
    return tuple(None if value is None else UNESCAPE[form.escapes](value) for value in found)


class RealLogsTests(SynchronousTestCase):
    """Logs of nginx and Apache, of requests with quotes, backslashes and bytes that are no text in them."""

    def check(self, log: str, name: str) -> LineFormat:
        """A log is recognised, and the requests are those that were sent."""
        found = lines(log)
        form = recognised(found)
        self.assertEqual(form.name, name)
        for line, sent in zip(found, (QUERY, QUOTES, BYTES), strict=False):
            self.assertEqual(told(form, line, SHOWN), sent)
        return form

    def test_nginx(self) -> None:
        """C{combined} of nginx 1.22: what was no request line is told."""
        form = self.check("nginx-combined.log", "combined")
        read = [told(form, line, (columns.PATH, columns.STATUS)) for line in lines("nginx-combined.log")]
        self.assertEqual(
            read[3:],
            [
                (b"/old", b"200"),
                (b"/cart", b"200"),
                NO_REQUEST_LINE,
                NO_REQUEST_LINE,
                (b"http://other.example/abs", b"200"),
                ("/ü%2F../x".encode(), b"200"),
                NO_REQUEST_LINE,
                (b"*", b"400"),
                (b"/p", b"200"),
            ],
        )
        self.assertFalse(says_host(form))

    def test_nginx_json(self) -> None:
        """nginx that writes JSON is recognised by keys that are called as its variables are."""
        form = self.check("nginx-json.log", "json with nginx's names")
        wanted = (columns.HOST, columns.AUTHORITY, columns.PORT, columns.SCHEME, columns.STATUS)
        self.assertEqual(
            told(form, lines("nginx-json.log")[7], wanted),
            (b"other.example", b"shop.example", b"80", b"http", b"200"),
        )

    def test_nginx_json_as_said(self) -> None:
        """The same lines are read by the C{log_format} that made them."""
        form = format_of(
            """log_format j escape=json '{"request":"$request","status":"$status","http_host":"$http_host",'
            '"host":"$host","http_user_agent":"$http_user_agent","server_port":"$server_port","scheme":"$scheme"}';"""
        )
        for line, sent in zip(lines("nginx-json.log"), (QUERY, QUOTES, BYTES), strict=False):
            self.assertEqual(told(form, line, SHOWN), sent)

    def test_apache(self) -> None:
        """C{vhost_combined} of Apache 2.4, which says the server's name and port."""
        form = self.check("apache-vhost_combined.log", "vhost_combined")
        self.assertEqual(
            told(form, lines("apache-vhost_combined.log")[0], (columns.SERVER, columns.PORT)), (b"shop.example", b"80")
        )
        self.assertTrue(says_host(form))

    def test_apache_combined(self) -> None:
        """C{combined} of Apache is read as that of nginx, but for its escapes, which can't be mistaken."""
        form = recognised([line.partition(b" ")[2] for line in lines("apache-vhost_combined.log")])
        self.assertEqual(form.name, "combined")


class GatewayLogsTests(SynchronousTestCase):
    """Text and JSON of edgegate, Istio and Envoy."""

    def test_edgegate(self) -> None:
        """edgegate escapes what clients put in; all that matters is told."""
        line = EDGEGATE % rb"a \"quoted\" \\ \x0aagent"
        form = recognised([line])
        self.assertEqual(form.name, "edgegate")
        wanted = (*SHOWN, columns.AUTHORITY, columns.LOCAL, columns.SNI, *columns.ANSWER)
        self.assertEqual(
            told(form, line, wanted),
            (
                *(
                    b"GET",
                    b"/api/catalog",
                    b"?x=1",
                    b'a "quoted" \\ \nagent',
                    b"webapp.example",
                    b"10.0.0.1:8080",
                    b"-",
                ),
                *(b"200", b"-", b"via_upstream", b"outbound|80||webapp.default.svc.cluster.local", b"webapp"),
            ),
        )

    def test_envoy_quotes(self) -> None:
        """A log with quotes that are not escaped is Envoy's; what could be read in two ways is not guessed."""
        plain, odd, unsure = EDGEGATE % b"curl", EDGEGATE % b'a "quoted" agent', EDGEGATE % b'a" "b'
        form = recognised([plain, odd, unsure])
        self.assertEqual(form.name, "istio")
        self.assertEqual(told(form, odd, SHOWN), (b"GET", b"/api/catalog", b"?x=1", b'a "quoted" agent'))
        self.assertEqual(
            told(form, odd, (columns.AUTHORITY, columns.CLUSTER, columns.LOCAL, columns.ROUTE)),
            (b"webapp.example", b"outbound|80||webapp.default.svc.cluster.local", b"10.0.0.1:8080", b"webapp"),
        )
        self.assertIn("two ways", str(told(form, unsure, SHOWN)))
        self.assertEqual(told(form, b"something else\n", SHOWN), NO_LINE)

    def test_quotes_later(self) -> None:
        """Where the first lines are edgegate's as well as Istio's, those behind may have quotes as they came."""
        form = recognised([EDGEGATE % b"curl"])
        self.assertEqual(form.name, "edgegate")
        for agent in (b'a "quoted" agent', rb"a \"quoted\" agent"):
            self.assertEqual(told(form, EDGEGATE % agent, SHOWN)[-1], b'a "quoted" agent')
        self.assertIn("two ways", str(told(form, EDGEGATE % b'a" "b', SHOWN)))

    def test_envoy_default(self) -> None:
        """Envoy's own default has fewer fields than Istio's."""
        form = recognised([ENVOY % b"nsq2http", ENVOY % b'"x"'])
        self.assertEqual(form.name, "envoy")
        wanted = (*SHOWN, columns.AUTHORITY, columns.STATUS)
        for agent in (b"nsq2http", b'"x"'):
            self.assertEqual(
                told(form, ENVOY % agent, wanted), (b"POST", b"/api/v1/locations", b"", agent, b"locations", b"204")
            )

    def test_json(self) -> None:
        """edgegate's JSON is told from Istio's by the key that only it has, as its texts have escapes in them."""
        values = dict.fromkeys(NAMES, None) | {"method": "GET", "path": "/a?b", "user_agent": '\\"x\\"'}
        line = json_line(tuple(values.values())).encode()  # type: ignore[arg-type]
        form = recognised([line])
        self.assertEqual(form.name, "edgegate-json")
        self.assertEqual(told(form, line, (*SHOWN, columns.SNI)), (b"GET", b"/a", b"?b", b'"x"', None))
        istio = recognised([line.replace(b',"route_origin":null', b"")])
        self.assertEqual(istio.name, "istio-json")
        self.assertEqual(told(istio, line, SHOWN), (b"GET", b"/a", b"?b", b'\\"x\\"'))

    def test_json_without_request(self) -> None:
        """A relay's line says no method; broken JSON is no line."""
        form = NAMED["edgegate-json"]
        self.assertIn("no request", str(told(form, b'{"method":null,"path":null}\n', SHOWN)))
        self.assertEqual(told(form, b'{"method":\n', SHOWN), NO_LINE)
        self.assertEqual(told(form, b'["method"]\n', SHOWN), NO_LINE)


class SaidTests(SynchronousTestCase):
    """Formats as nginx, Apache and Envoy were told them."""

    def test_nginx(self) -> None:
        """The string alone, or the whole directive; a list of backends holds spaces."""
        for text in (
            '$remote_addr "$request" $status "$host" [$upstream_addr] $scheme ${server_port} "$http_x_user"',
            """log_format main '$remote_addr "$request" $status "$host" '
                '[$upstream_addr] $scheme ${server_port} "$http_x_user"';""",
        ):
            line = b'10.0.0.1 "GET /a HTTP/2.0" 200 "shop.example" [10.0.0.1:80, 10.0.0.2:80] https 443 "qa"\n'
            wanted = (columns.PATH, columns.HOST, columns.SCHEME, columns.PORT, columns.header("x-user"))
            self.assertEqual(told(format_of(text), line, wanted), (b"/a", b"shop.example", b"https", b"443", b"qa"))

    def test_apache(self) -> None:
        """Quotes with backslashes, a time in brackets, path and query apart, SNI."""
        for text in (
            r'LogFormat "%h %t \"%m %U%q %H\" %>s \"%{Host}i\" %{SSL_TLS_SNI}x 100%%" own',
            '%h %t "%m %U%q %H" %>s "%{Host}i" %{SSL_TLS_SNI}x 100%%',
        ):
            line = b'10.0.0.1 [01/Mar/2026:12:00:00 +0000] "GET /a?b HTTP/1.1" 200 "a.example:8443" a.example 100%\n'
            wanted = (columns.METHOD, columns.PATH, columns.QUERY, columns.AUTHORITY, columns.SNI, columns.STATUS)
            self.assertEqual(
                told(format_of(text), line, wanted), (b"GET", b"/a", b"?b", b"a.example:8443", b"a.example", b"200")
            )

    def test_envoy(self) -> None:
        """Text and JSON; a header that is cut is not all of it, and so is not told."""
        form = format_of('%START_TIME% %REQ(:METHOD)% %REQ(:PATH)% %REQ(x-user)% "%REQ(x-long):3%" %RESPONSE_CODE%')
        self.assertNotIn(columns.header("x-long"), form.columns)
        line = b'2026-03-01T12:00:00.000Z PUT /a?b qa "abc" 201\n'
        wanted = (columns.METHOD, columns.PATH, columns.header("x-user"), columns.STATUS)
        self.assertEqual(told(form, line, wanted), (b"PUT", b"/a", b"qa", b"201"))
        form = format_of('{"a": {"m": "%REQ(:METHOD)%"}, "p": "%PATH%", "code": "%RESPONSE_CODE%", "n": 1}')
        line = b'{"a":{"m":"PUT"},"p":"/a?b","code":201,"n":1}\n'
        self.assertEqual(
            told(form, line, (columns.METHOD, columns.PATH, columns.QUERY, columns.STATUS)),
            (b"PUT", b"/a", b"?b", b"201"),
        )

    def test_wrong(self) -> None:
        """What can't be a format is refused with the reason."""
        for text, why in (
            ("common?", "none of edgegate, istio"),
            ("$request_uri $status", "does not say the request's method"),
            ("$request_method", "does not say the request's path"),
            ("escape=html $request", "escape=html is none of default, json, none"),
            ("%REQ(:METHOD)%%REQ(:PATH)%", "nothing between them"),
            ("%REQ(:METHOD)% %REQ(:PATH)% %BOGUS%", "unknown operator %BOGUS%"),
            ('{"a": "%REQ(:METHOD)%"}', "does not say the request's path"),
        ):
            with self.assertRaises(UnknownFormat) as caught:
                format_of(text)
            self.assertIn(why, str(caught.exception))

    def test_not_recognised(self) -> None:
        """A log of no format that is known says what to do."""
        for log, why in (
            ([b"hello\n"], "say it by --format"),
            ([b"\n"], "there is no line in it"),
            ([b'{"a": 1}\n'], "no keys of its JSON are known"),
            ([b"{\n"], "no JSON"),
            ([b'{"a": "\xff"}\n'], "no JSON"),
        ):
            with self.assertRaises(UnknownFormat) as caught:
                recognised(log)
            self.assertIn(why, str(caught.exception))
