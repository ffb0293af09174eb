"""Tests of L{edgegate.istio.translate.compile_options}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.translate.compile_options import CompileOptions, inspect_nothing
from edgegate.model.tls import ServerTLS


class CompileOptionsTests(SynchronousTestCase):
    """What the compiler does where nobody says otherwise."""

    def test_defaults(self) -> None:
        """Every Gateway is taken, no port mapped, no file is there, and key material is only carried."""
        options = CompileOptions()
        self.assertIsNone(options.selector)
        self.assertEqual(options.port_map, {})
        self.assertRaises(FileNotFoundError, options.read_file, "certs/a.crt")
        self.assertEqual(list(inspect_nothing(ServerTLS(()), (), ("a.example",))), [])
