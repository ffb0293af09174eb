"""Tests of L{edgegate.diff.process_settings}."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.diff.findings import Findings
from edgegate.diff.process_settings import compare_settings
from edgegate.model.access_logs import AccessLogFile
from edgegate.model.proxy import ProxySettings
from edgegate.model.tracing import DeclaredTracing, SpanFormat, TracingProvider
from edgegate.routing.snapshot import Snapshot


def told(old: Snapshot, new: Snapshot) -> list[str]:
    """Return what is told of two Snapshots."""
    findings = Findings()
    compare_settings(old, new, findings)
    return [f"{each.place}: {field}" for each in findings.differences for field in each.fields]


def logs(*found: AccessLogFile) -> Snapshot:
    """Make a Snapshot with access logs."""
    return Snapshot(access_logs=found)


class SettingsTests(SynchronousTestCase):
    """What belongs to no port."""

    def test_equal(self) -> None:
        """Nothing is told of what is alike."""
        log = AccessLogFile("a.log", name="files")
        self.assertEqual(told(Snapshot(), Snapshot()), [])
        self.assertEqual(told(logs(log), logs(replace(log))), [])

    def test_proxy(self) -> None:
        """What counts from the start on is told field by field."""
        (field,) = told(Snapshot(), Snapshot(proxy=ProxySettings(trusted_hops=2)))
        self.assertTrue(field.startswith("from its start on: "), field)
        self.assertTrue(field.endswith("-> 2"), field)

    def test_logs(self) -> None:
        """A log that stays is told by its fields; another, and the first that files say, by its name."""
        one, other = AccessLogFile("a.log", name="a"), AccessLogFile("b.log", name="b")
        (field,) = told(logs(one), logs(replace(one, filter="response.code >= 500")))
        self.assertIn("response.code >= 500", field)
        self.assertIn("b.log", told(logs(one), logs(one, other))[0])
        self.assertIn("as the gateway is started -> ", told(Snapshot(), logs(one))[0])
        self.assertIn("-> none", told(Snapshot(), logs())[0])

    def test_secrets(self) -> None:
        """Of a collector's headers it is told that their values differ, and neither of them."""
        provider = TracingProvider(SpanFormat.OTLP, "http://127.0.0.1:4318", headers=(("authorization", "s3cret"),))
        old = DeclaredTracing(provider=provider)
        new = DeclaredTracing(provider=replace(provider, headers=(("authorization", "0ther"),)))
        self.assertEqual(
            told(Snapshot(tracing=old), Snapshot(tracing=new)), ["tracing: provider headers: their values -> others"]
        )
