"""Tests of L{edgegate.istio.analysis.served_hosts}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.manifest import read
from edgegate.config.problems import Problems
from edgegate.istio.analysis.names import matches
from edgegate.istio.analysis.served_hosts import ServedHosts
from edgegate.istio.decode import decode
from tests.istio.analysis.telling import documents

PORT = "port: {number: 80, name: h, protocol: HTTP}"


class ServedHostsTests(SynchronousTestCase):
    """Servers by their hosts."""

    def setUp(self) -> None:
        """Make a Gateway with three servers."""
        problems = Problems()
        hosts = "['*.b.example', other/c.example]", "[A.example, ./d.example]", "[a.example, '*/*.x.b.example']"
        servers = ", ".join(f"{{{PORT}, hosts: {each}}}" for each in hosts)
        text = documents("Gateway", "gw", f"{{servers: [{servers}]}}", ", namespace: shop")
        (gateway,) = decode(read("f", text, problems), problems).gateways
        self.hosts = ServedHosts(gateway)

    def test_servers(self) -> None:
        """Exact hosts, patterns, and what either is one of are found, in the order of the servers."""
        for host, servers in (
            ("a.EXAMPLE", [1, 2]),
            ("y.x.b.example", [0, 2]),
            ("b.example", []),
            ("c.example", [0]),
            ("*.b.example", [0, 2]),
            ("*", [0, 1, 2]),
            ("*.example", [0, 1, 2]),
            ("*.d.example", []),
        ):
            self.assertEqual(self.hosts.servers(host), servers, host)

    def test_namespaces(self) -> None:
        """A host is one for a VirtualService where its namespace may have it."""
        for host, namespace, has in (
            ("c.example", "other", True),
            ("c.example", "shop", False),
            ("d.example", "shop", True),
            ("d.example", "other", False),
            ("a.example", "any", True),
            ("z.x.b.example", "any", True),
        ):
            self.assertEqual(self.hosts.has(["none.example", host], namespace), has, (host, namespace))

    @given(
        st.lists(st.text("a.", max_size=3).map(lambda text: text.strip(".") or "a"), min_size=1, max_size=6),
        st.lists(st.sampled_from(["*", "*.", ""]), min_size=7, max_size=7),
    )
    def test_as_istio(self, names: list[str], begins: list[str]) -> None:
        """What is found is what comparing each with each finds."""
        hosts = [begin + name for begin, name in zip(begins, [*names, "a.a"], strict=False)]
        asked = hosts.pop()
        problems = Problems()
        servers = ", ".join(f"{{{PORT}, hosts: ['{each}']}}" for each in hosts)
        (gateway,) = decode(
            read("f", documents("Gateway", "g", f"{{servers: [{servers}]}}"), problems), problems
        ).gateways
        found = ServedHosts(gateway).servers(asked)
        self.assertEqual(found, [place for place, host in enumerate(hosts) if matches(host, asked)])
