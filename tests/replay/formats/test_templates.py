"""Tests of L{edgegate.replay.formats.templates}."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.observe.log_lines import shown
from edgegate.replay.formats import columns
from edgegate.replay.formats.escapes import UNESCAPE, Escapes
from edgegate.replay.formats.reading import NO_LINE, NO_REQUEST_LINE
from edgegate.replay.formats.templates import Slot, Template, TemplateReader

AGENT = columns.header("user-agent")
TEMPLATE = Template(
    ("[", Slot(), '] "', Slot(columns.REQUEST), '" ', Slot(columns.STATUS), ' "', Slot(AGENT), '"'), Escapes.BACKSLASH
)


class TemplateReaderTests(SynchronousTestCase):
    """Lines of a template."""

    @settings(max_examples=200, deadline=None)
    @given(st.binary(), st.binary(min_size=1).filter(lambda word: not set(word) & set(b" ?")))
    def test_round_trip(self, agent: bytes, path: bytes) -> None:
        """Whatever clients send is read as it was sent: nobody can make a field of another one."""
        line = f'[now] "GET {shown(path)}?a=b HTTP/1.1" 200 "{shown(agent)}"\n'.encode()
        reader = TemplateReader(TEMPLATE, TEMPLATE.columns)
        values = reader.read(line)
        assert not isinstance(values, str), values
        said = {
            name: UNESCAPE[Escapes.BACKSLASH](value or b"") for name, value in zip(reader.columns, values, strict=True)
        }
        self.assertEqual((said[columns.PATH], said[columns.QUERY], said[AGENT]), (path, b"?a=b", agent))

    def test_wanted(self) -> None:
        """What nobody wants is not returned."""
        reader = TemplateReader(TEMPLATE, (columns.PATH, columns.STATUS))
        self.assertEqual(reader.columns, (columns.PATH, columns.STATUS))
        self.assertEqual(reader.read(b'[now] "GET /a?b HTTP/1.1" 200 "x"'), (b"/a", b"200"))

    def test_odd_query(self) -> None:
        """A query that nobody wants has to be one, or the line is to be read with it."""
        lean, whole = (TemplateReader(TEMPLATE, wanted) for wanted in ((columns.PATH,), TEMPLATE.columns))
        for query in (rb"?a\x22", b"?a#b", b"?\xff"):
            line = b'[now] "GET /a%b HTTP/1.1" 200 "x"' % query
            self.assertEqual(lean.read(line), NO_REQUEST_LINE)
            self.assertEqual(whole.read(line)[2], query)

    def test_line_ends(self) -> None:
        """A carriage return before the end of a line is none of the last value, whatever that is."""
        request = Slot(columns.REQUEST)
        for parts, line, column, value in (
            (('"', request, '" ', Slot(columns.STATUS)), b'"GET / HTTP/1.1" 200', columns.STATUS, b"200"),
            (('"', request, '" ', Slot(columns.HOST)), b'"GET / HTTP/1.1" a.example', columns.HOST, b"a.example"),
            ((Slot(columns.METHOD), " ", Slot(columns.TARGET)), b"GET /a", columns.PATH, b"/a"),
            ((Slot(columns.METHOD), " ", Slot(columns.TARGET)), b"GET /a?b", columns.QUERY, b"?b"),
            (('"', request, '" ', Slot(columns.HOST, True)), b'"GET / HTTP/1.1" a, b', columns.HOST, b"a, b"),
        ):
            reader = TemplateReader(Template(parts, Escapes.BACKSLASH), (column,))
            for end in (b"", b"\r", b"\r\n"):
                self.assertEqual(reader.read(line + end), (value,), parts)

    def test_reasons(self) -> None:
        """A line of another format is told from one whose request line is none."""
        reader = TemplateReader(TEMPLATE, TEMPLATE.columns)
        self.assertEqual(reader.read(b'[now] "nonsense" 400 "x"'), NO_REQUEST_LINE)
        self.assertEqual(reader.read(b"nonsense"), NO_LINE)
        self.assertEqual(reader.read(b'[now] "GET / HTTP/1.1" 200 "x" more'), NO_LINE)
        more = Template(TEMPLATE.parts, TEMPLATE.escapes, more=True)
        self.assertEqual(TemplateReader(more, (columns.PATH,)).read(b'[now] "GET / HTTP/1.1" 200 "x" y'), (b"/",))

    def test_time(self) -> None:
        """A line that nearly fits costs no more than others: nothing is tried in two ways."""
        line = b'[now] "GET /' + rb"\x" * 50_000 + b'" 200 "' + b"a" * 50_000
        self.assertEqual(TemplateReader(TEMPLATE, TEMPLATE.columns).read(line), NO_LINE)

    def test_check(self) -> None:
        """A template that says neither method nor path is none; nor is one whose fields run into each other."""
        for parts, why in (
            ((Slot(columns.STATUS),), "the request's method"),
            ((Slot(columns.METHOD),), "the request's path"),
            ((Slot(columns.METHOD), Slot(columns.PATH)), "nothing between them"),
        ):
            with self.assertRaisesRegex(ValueError, why):
                Template(parts, Escapes.NONE).check()
