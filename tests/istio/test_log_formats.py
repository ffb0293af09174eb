"""Tests of L{edgegate.istio.log_formats}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.kinds.mesh_config import Encoding, FileLog, FileLogFormat, MeshConfig
from edgegate.istio.log_formats import mesh_format, provider_format
from edgegate.model.log_formats import BadFormat, DefaultFormat, json_format, text_format


class FormatTests(SynchronousTestCase):
    """Formats of MeshConfig."""

    def test_mesh(self) -> None:
        """A format and its encoding."""
        self.assertIs(mesh_format(MeshConfig()), DefaultFormat.TEXT)
        self.assertIs(mesh_format(MeshConfig(access_log_encoding=Encoding.JSON)), DefaultFormat.JSON)
        self.assertEqual(mesh_format(MeshConfig(access_log_format="%PROTOCOL%")), text_format("%PROTOCOL%"))
        mesh = MeshConfig(access_log_format='{"a": "%PROTOCOL%"}', access_log_encoding=Encoding.JSON)
        self.assertEqual(mesh_format(mesh), json_format({"a": "%PROTOCOL%"}))

    def test_provider(self) -> None:
        """A provider has text, or labels; none of both is the default, labels without any that of JSON."""
        self.assertEqual(provider_format(FileLog()), (None, ()))
        form, path = provider_format(FileLog(log_format=FileLogFormat(text="a"), omit_empty_values=True))
        self.assertEqual((form, path), (text_format("a", omit_empty=True), ("logFormat", "text")))
        self.assertIs(provider_format(FileLog(log_format=FileLogFormat(labels={})))[0], DefaultFormat.JSON)
        self.assertEqual(provider_format(FileLog(log_format=FileLogFormat(text=""))), (None, ()))
        bad = FileLog(log_format=FileLogFormat(labels={"a": {"b": "%X%"}}))
        error = self.assertRaises(BadFormat, provider_format, bad)
        self.assertEqual(error.path, ("logFormat", "labels", "a", "b"))
