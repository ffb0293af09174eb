"""Tests of L{edgegate.istio.translate.on_demand}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.translate import CompileOptions
from edgegate.model.on_demand import OnDemand
from edgegate.routing.snapshot import Snapshot
from edgegate.sources.compilation import compile_resources
from tests.istio.translate.compiling import decoded
from tests.istio.translate.test_certificates import GATEWAY, ISSUER, SECRET


class OnDemandTests(SynchronousTestCase):
    """Servers whose certificates are issued on demand."""

    def compile(self, text: str) -> tuple[Snapshot, list[str]]:
        """Compile, and return what is told but for routes that are missing."""
        resources, problems = decoded(text)
        compiled = compile_resources(resources, CompileOptions(locate=lambda name: f"/etc/{name}"), problems)
        told = [f"{each.line} {each.severity.name.lower()}: {each.message}" for each in problems]
        return compiled.snapshot, [each for each in told if "VirtualService" not in each]

    def test_on_demand(self) -> None:
        """Names that wildcards stand for have their certificates on demand; full names beside them have theirs."""
        rules = (
            "  onDemand: {ask: 'https://ask.example/', allow: ['*.Example.com.'], rate: {certificates: 2, period: 1m}}"
        )
        issuer = ISSUER.replace("---", f"{rules}\n---")
        wild = GATEWAY.replace("a.example.com", '"*.example.com"')
        snapshot, told = self.compile(issuer + wild)
        self.assertEqual(told, [])
        (found,) = snapshot.on_demand
        value = snapshot.certificates[0].issuer
        expected = OnDemand(value, found.origin, "https://ask.example/", ("*.example.com",), 2, 60.0, 1000)
        self.assertEqual((found, found.origin.line), (expected, 7))
        self.assertEqual([each.host for each in snapshot.certificates], ["b.example.com"])
        (tls,) = {chain.tls for listener in snapshot.listeners for _, chain in listener.secure.items()}
        assert tls is not None
        self.assertEqual((tls.on_demand, len(tls.credentials)), ("default/ca", 1))
        snapshot, told = self.compile(issuer + wild.replace(", shop/b.example.com", ""))
        self.assertEqual((told, snapshot.certificates, len(snapshot.on_demand)), ([], (), 1))
        (tls,) = {chain.tls for listener in snapshot.listeners for _, chain in listener.secure.items()}
        assert tls is not None
        self.assertEqual(tls.credentials, ())
        with self.subTest("a Secret wins"):
            snapshot, _ = self.compile(issuer + wild + SECRET)
            self.assertEqual((snapshot.on_demand, snapshot.certificates), ((), ()))
        with self.subTest("without a wildcard it is of no effect"):
            snapshot, told = self.compile(issuer + GATEWAY)
            self.assertEqual(len(told), 1)
            self.assertIn("7 warning: no server that has its certificates from it has a wildcard", told[0])
            self.assertEqual(snapshot.on_demand, ())
        with self.subTest("what is wrong with the issuer is told once"):
            _, told = self.compile(issuer + wild.replace("issuer: ca", "issuer: caa"))
            self.assertEqual(sum("no document declares CertificateIssuer" in each for each in told), 1, told)
