"""Tests of L{edgegate.config.templates}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.templates import hint, template_at
from tests.config.reading import read_all

DOCUMENT = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n"


class TemplatesTests(SynchronousTestCase):
    """Templates are told from what is merely wrong."""

    def test_brackets(self) -> None:
        """A template is told once, wherever its brackets stand, and whatever they break."""
        for text, place in (
            (DOCUMENT.replace("{name: a}", "\n  name: {{ .Values.name }}"), "f:4:9"),
            (f"{{{{- if .Values.enabled }}}}\n{DOCUMENT}{{{{- end }}}}\n", "f:1:1"),
            (DOCUMENT.replace("kind", "{{- range .Values.all }}\nkind"), "f:2:1"),
            (f"{{{{- if .Values.enabled }}}}\n{DOCUMENT}---\n{{{{ .Values.more }}}}\n", "f:1:1"),
        ):
            (told,) = read_all(text)[1]
            self.assertTrue(told.startswith(f"{place}: error: this looks like a template ({{{{ }}}}): render it"), told)

    def test_elsewhere(self) -> None:
        """Only the lines that are asked for are looked at."""
        self.assertEqual(template_at("a\n  {{ b }}\n", (0, 1)), (1, 2))
        self.assertIsNone(template_at("a\n{{ b }}\n", (0, 7)))

    def test_hints(self) -> None:
        """A value that a message repeats is told from what can be meant as it is."""
        for message, words in (
            ('got string "{{ .Values.port }}"', "render it first"),
            ('got string "${PORT}"', "${PORT} looks like a variable"),
            ('got string "${PORT:-80}"', "${PORT:-80} looks like a variable"),
            ('"$HOST_IP" is no host', "$HOST_IP looks like a variable"),
            ("\u201ca\u201d is no host", "is no quote to YAML"),
            ('["\u00a0hosts"]: unknown field', "no-break space"),
        ):
            self.assertIn(words, hint(message))
        for message in ("not a regular expression of RE2: (a$", "5 $ is no number", "a {b}"):
            self.assertEqual(hint(message), "")
