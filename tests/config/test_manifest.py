"""Tests for L{edgegate.config.manifest}."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.composer.events import MAX_ALIASED
from edgegate.config.composer.node import MAX_DEPTH
from edgegate.config.manifest import MAX_FILE, MAX_SYNTAX_ERRORS, read
from edgegate.config.problems import Problems
from tests.config.reading import documents, read_all

HEAD = "apiVersion: v1\nkind: X\nmetadata: {name: a}\n"
TWO = HEAD + "---\n" + HEAD.replace("name: a", "name: b")


class ReadTests(SynchronousTestCase):
    """What files hold."""

    def value(self, text: str) -> object:
        """Return the value of the key C{v} of a document."""
        return documents(HEAD + text)[0].value["v"]

    def test_several(self) -> None:
        """A file has any number of documents; empty ones are passed over."""
        found = documents("---\n---\n" + TWO + "---\n# nothing\n---\n...\n")
        self.assertEqual([(each.name, each.line) for each in found], [("a", 3), ("b", 7)])

    def test_empty(self) -> None:
        """An empty file has none."""
        for text in ("", "\n", "# only a comment\n", "---", "\ufeff"):
            self.assertEqual(read_all(text), ([], []), text)

    def test_json(self) -> None:
        """JSON is YAML."""
        found = documents(
            '{"apiVersion": "v1", "kind": "X", "metadata": {"name": "a"}, "v": [1, true, null, "\\u00e4"]}'
        )
        self.assertEqual(found[0].value["v"], [1, True, None, "ä"])

    def test_encodings(self) -> None:
        """UTF-8, with or without its mark, and UTF-16 with it."""
        for raw in (HEAD.encode(), b"\xef\xbb\xbf" + HEAD.encode(), HEAD.encode("utf-16")):
            self.assertEqual(documents(raw)[0].name, "a")

    def test_bad_encoding(self) -> None:
        """What is not UTF-8 is told with its place, and the rest is still read."""
        found, told = read_all(HEAD.encode() + b"v: \xff\n")
        self.assertEqual(told, ["f:4:4: error: not UTF-8: invalid start byte; save it as UTF-8"])
        self.assertEqual(len(found), 1)

    def test_binary(self) -> None:
        """What is no text is told in one line that repeats nothing of it."""
        for raw in (b"\x89PNG\r\n\x1a\n\0\0", b"0\x82\x01\0", b"\x1f\x8b\x08\0"):
            told = ["f:1:1: error: not a text file: is it an archive, an image or a certificate in DER?"]
            self.assertEqual(read_all(raw), ([], told))

    def test_no_separator(self) -> None:
        """A document that begins without a separator is told once, not once for each of its keys."""
        (told,) = read_all(HEAD + HEAD)[1]
        self.assertIn("a document begins here without --- on a line before it", told)

    def test_unprintable(self) -> None:
        """Control characters are told with their place."""
        self.assertEqual(read_all(HEAD + "v: \x01\n")[1], ["f:4:4: error: the character U+0001 is not allowed in YAML"])

    def test_escaped_control(self) -> None:
        """A NUL can't come in by an escape either."""
        self.assertEqual(
            read_all(HEAD + 'v: "a\\0"\n')[1], ["f:4:4: error: v: it holds a character that no value here can have"]
        )

    def test_too_large(self) -> None:
        """A file has a limit."""
        problems = Problems()
        self.assertEqual(read("f", b" " * (MAX_FILE + 1), problems), [])
        self.assertIn("larger than", str(next(iter(problems))))

    def test_line_endings(self) -> None:
        """Files from Windows are read, with the same lines."""
        found, told = read_all((HEAD + "v: 1\nv: 2\n").replace("\n", "\r\n").encode())
        self.assertEqual(told, ["f:5:1: error: v: the key v comes twice, first on line 4"])
        self.assertEqual(found[0].value["v"], 1)

    def test_after_a_syntax_error(self) -> None:
        """A syntax error costs one document; those before and behind it are read, with their own lines."""
        found, told = read_all(TWO + "---\na: [\n---\n" + HEAD + "---\nb: 'x\n---\n" + HEAD)
        self.assertEqual([each.line for each in found], [1, 5, 11, 17])
        self.assertEqual([line.split(": error")[0] for line in told], ["f:10:1", "f:15:4"])

    def test_syntax_errors_without_end(self) -> None:
        """A file of nothing but errors is given up."""
        told = read_all("---\na: b: c\n" * (MAX_SYNTAX_ERRORS + 50))[1]
        self.assertEqual(len(told), MAX_SYNTAX_ERRORS + 1)
        self.assertIn("the rest was not read", told[-1])

    def test_keys(self) -> None:
        """A key that is a number is its text, as in JSON; other keys that are no strings must be quoted."""
        self.assertEqual(self.value("v: {80: a}\n"), {"80": "a"})
        for key, why in (("on", "a boolean"), ("~", "null"), ("1.5", "a number"), ("0x10", "a number")):
            self.assertIn(f"the key {key} is {why}, not a string: quote it", read_all(f"{HEAD}v: {{{key}: 1}}\n")[1][0])
        self.assertIn("the key is no scalar", read_all(f"{HEAD}v: {{[a]: 1}}\n")[1][0])

    def test_nested_duplicate(self) -> None:
        """A key that comes twice is told with its path and both lines."""
        text = HEAD + "v:\n- a:\n    b: 1\n    b: 2\n"
        self.assertEqual(read_all(text)[1], ["f:7:5: error: v[0].a.b: the key b comes twice, first on line 6"])

    def test_places(self) -> None:
        """Everything has its line and column, the key's where there is one, the item's in lists."""
        text = HEAD + "v:\n  list:\n  - a: 1\n    b: {c: [x, y]}\n"
        found = documents(text)[0]
        places = {
            ("v",): (4, 1),
            ("v", "list"): (5, 3),
            ("v", "list", 0): (6, 5),
            ("v", "list", 0, "b", "c"): (7, 9),
            ("v", "list", 0, "b", "c", 1): (7, 16),
            ("v", "list", 0, "nothing", "here"): (6, 5),
            ("v", "list", 7): (5, 3),
        }
        self.assertEqual({path: found.place(path) for path in places}, places)


class AliasTests(SynchronousTestCase):
    """Anchors, aliases and merge keys, within limits."""

    def test_alias(self) -> None:
        """An alias stands for what it names, and its contents are placed there."""
        found = documents(HEAD + "x: &x {a: 1}\nv: [*x, *x]\n")[0]
        self.assertEqual(found.value["v"], [{"a": 1}, {"a": 1}])
        self.assertEqual(found.place(("v", 1)), (5, 9))
        self.assertEqual(found.place(("v", 1, "a")), (4, 8))

    def test_merge(self) -> None:
        """Merged keys yield to those that are there, and earlier ones win over later."""
        text = HEAD + "x: &x {a: 1, b: 1}\nz: &z {b: 2, c: 2}\nv:\n  <<: [*x, *z]\n  a: 0\n"
        self.assertEqual(documents(text)[0].value["v"], {"a": 0, "b": 1, "c": 2})

    def test_merge_of_no_mapping(self) -> None:
        """Only mappings can be merged."""
        told = read_all(HEAD + "v: {<<: 5}\n")[1]
        self.assertEqual(len(told), 1)
        self.assertIn("<< takes a mapping", told[0])

    def test_quoted_merge_key(self) -> None:
        """A quoted << is a key like others."""
        self.assertEqual(documents(HEAD + "v: {'<<': 5}\n")[0].value["v"], {"<<": 5})

    def test_unknown_alias(self) -> None:
        """An alias of nothing, and one within what it names."""
        told = read_all(HEAD + "v: *x\nw: &w [*w]\n---\n" + HEAD)[1]
        self.assertIn("f:4:4: error: v: the alias *x means nothing", told[0])
        self.assertIn("f:5:8: error: w[0]: the alias *w means nothing: it stands within", told[1])

    def test_anchors_end_with_their_document(self) -> None:
        """An anchor is not known in the next document."""
        told = read_all(HEAD + "v: &v 1\n---\n" + HEAD + "w: *v\n")[1]
        self.assertEqual(len(told), 1)

    def test_bomb(self) -> None:
        """Aliases of aliases that would grow without end are refused, and the next document is read."""
        levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, 12))
        found, told = read_all(HEAD + "l0: &l0 x\n" + levels + "---\n" + HEAD)
        self.assertEqual(len(told), 1)
        self.assertIn(f"stand for more than {MAX_ALIASED} values", told[0])
        self.assertEqual(len(found), 1)

    def test_depth(self) -> None:
        """Nesting has a limit, by brackets, by dashes and by aliases."""
        for text in ("[" * 5000, "- " * 5000, "{a: " * 5000):
            self.assertIn(f"nested deeper than {MAX_DEPTH} levels", read_all(text)[1][0])
        deep = "[" * 150 + "]" * 150
        half = HEAD + f"x: &x {deep}\n"
        self.assertEqual(read_all(half)[1], [])
        self.assertIn("nested deeper", read_all(half + "v: " + "[" * 100 + "*x" + "]" * 100 + "\n")[1][0])

    def test_tags(self) -> None:
        """Collections bear no tags but their own, and no tag makes an object of Python."""
        self.assertEqual(read_all(HEAD + "v: !!map {a: !!str 1}\n")[1], [])
        for value in ("!!set {a}", "!!python/object/apply:os.system [ls]", "!foo [a]", "!foo a"):
            self.assertIn("is not understood", read_all(f"{HEAD}v: {value}\n")[1][0], value)


class HostileTests(SynchronousTestCase):
    """Whatever comes, there are documents and problems and never an exception."""

    @settings(max_examples=200, deadline=None)
    @given(st.binary(max_size=200))
    def test_bytes(self, raw: bytes) -> None:
        """Any bytes."""
        read_all(raw)

    @settings(max_examples=300, deadline=None)
    @given(st.text(alphabet="ab:-[]{}&*!|>'\"%@#?,\\0x1 \n\t~<.", max_size=120))
    def test_syntax(self, text: str) -> None:
        """Any mixture of YAML's indicators."""
        for each in read_all(text)[0]:
            self.assertTrue(each.name)

    @settings(max_examples=100, deadline=None)
    @given(st.integers(0, len(TWO)), st.integers(0, 255))
    def test_one_byte(self, at: int, byte: int) -> None:
        """A good file with one byte changed, and cut off behind it."""
        raw = TWO.encode()
        read_all(raw[:at] + bytes([byte]) + raw[at + 1 :])
        read_all(raw[:at] + bytes([byte]))
