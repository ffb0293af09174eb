"""Tests of L{edgegate.cli.code_explanation}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.cli.code_explanation import explained
from edgegate.istio.analysis.catalogue import explanations


class ExplainedTests(SynchronousTestCase):
    """What is printed of codes."""

    def test_one(self) -> None:
        """What is wrong, documents of which it is told, and how they are mended; small letters will do."""
        text = explained("ist0107")
        self.assertTrue(text.startswith("IST0107 MisplacedAnnotation (warning in Istio)\n\n"), text)
        self.assertIn("Told of these documents, beside the Gateway shop of port 80 and shop.example.com:\n\n", text)
        self.assertIn('      annotations: {sidecar.istio.io/inject: "false"}\n', text)
        self.assertIn('  - annotations: {sidecar.istio.io/inject: "false"}\n  + annotations: {}\n', text)

    def test_own(self) -> None:
        """Of our own codes the level is ours, and options that are needed are said."""
        self.assertTrue(explained("EG207").startswith("EG207 ZeroWeight (info)\n"), explained("EG207"))
        with_options = [code for code, known in explanations().items() if known.options]
        self.assertTrue(with_options)
        for code in with_options:
            self.assertIn(f"Told with {' '.join(explanations()[code].options)} of these documents", explained(code))

    def test_all(self) -> None:
        """Each is explained in lines that fit, but for documents; all have a line."""
        listed = explained("ALL").splitlines()
        self.assertEqual([line.split()[0] for line in listed], list(explanations()))
        for code, known in explanations().items():
            text = explained(code)
            self.assertIn("To mend it: ", text)
            self.assertEqual("There is no example: " in text, not known.example, code)
            prose = [line for line in text.splitlines() if not line.startswith("  ")]
            self.assertLessEqual(max(map(len, prose)), 120, code)

    def test_unknown(self) -> None:
        """A code that there is not is an error that says what to do."""
        with self.assertRaisesRegex(ValueError, '"IST9999" is no code: "all" lists them'):
            explained("IST9999")
