"""Tests of L{edgegate.server.startup_log}."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import Cluster, Discovery
from edgegate.model.tls import KeyPair, ServerTLS, UpstreamTLS
from edgegate.routing.hosts import HostTable
from edgegate.routing.snapshot import FilterChain, Snapshot
from edgegate.server.startup_log import certificates, hosts, kinds, mapped, shown_by
from edgegate.tls.authority import Authority
from edgegate.tls.secret_store import Secrets
from tests.server.test_reload import HERE, HTTP, HTTPS, PLAIN, SECURE

NOW = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)


class ListenerTests(SynchronousTestCase):
    """Listeners in words."""

    def test_kinds(self) -> None:
        """Each kind of traffic is named once."""
        self.assertEqual(kinds(HTTP), "HTTP")
        tcp = FilterChain("tcp", HERE, tcp=())
        both = replace(
            HTTPS,
            plain=tcp,
            secure=HostTable(
                [
                    ("a.example", SECURE),
                    ("b.example", SECURE),
                    ("c.example", replace(tcp)),
                    ("d.example", replace(tcp, tls=SECURE.tls)),
                ]
            ),
        )
        self.assertEqual(set(kinds(both).split(" and ")), {"TCP", "HTTPS", "TLS passthrough", "TLS"})

    def test_hosts(self) -> None:
        """The first few hosts are named."""
        many = replace(HTTP, plain=replace(PLAIN, hosts=tuple(f"{letter}.example" for letter in "abcdef")))
        self.assertEqual(hosts(many), "a.example, b.example, c.example, d.example and 2 more")
        self.assertEqual(hosts(replace(HTTPS, plain=PLAIN)), "*, shop.example")

    def test_mapped(self) -> None:
        """Another port than the files say is remarked."""
        self.assertEqual(mapped(HTTP), "")
        self.assertEqual(mapped(replace(HTTP, bind=TCPAddress("::", 8080))), " (port 80 of the files)")


class CertificatesTests(SynchronousTestCase):
    """How long certificates are valid."""

    def test_days(self) -> None:
        """Each certificate is named once, however many listeners show it."""
        issued = Authority.new("Test authority", NOW).server(["shop.example"], NOW)
        pair = KeyPair("shop.crt", issued.chain_pem, issued.key_pem)
        tls, secrets = ServerTLS((pair.credential,)), Secrets([pair])
        chain = replace(SECURE, tls=tls)
        listener = replace(HTTPS, secure=HostTable([("a.example", chain), ("*", FilterChain("tls", HERE, tcp=()))]))
        snapshot = Snapshot((listener, replace(listener, name="other"), HTTP))
        ends = issued.certificate.not_valid_after_utc
        ((credential, found),) = certificates(snapshot, secrets)
        self.assertEqual((credential.name, found), ("shop.crt", ends))
        self.assertEqual([each.name for each in shown_by(listener)], ["shop.crt"])

    def test_backends(self) -> None:
        """What is shown to backends is named, too."""
        issued = Authority.new("Test authority", NOW).client("gateway", now=NOW)
        pair = KeyPair("gateway.crt", issued.chain_pem, issued.key_pem)
        tls = UpstreamTLS(credential=pair.credential)
        cluster = Cluster("web", Discovery.STATIC, HERE, tls=tls)
        clusters = {"web": cluster, "other": replace(cluster, name="other"), "plain": replace(cluster, tls=None)}
        self.assertEqual(
            [each.name for each, _ in certificates(Snapshot((), clusters), Secrets([pair]))], ["gateway.crt"]
        )
