"""Tests of L{edgegate.istio.validation.service_entry}."""

from __future__ import annotations

from tests.istio.validation.cases import CasesTestCase

PORTS = "ports: [{number: 80, name: http, protocol: HTTP}]"


class ServiceEntryTests(CasesTestCase):
    """Where services are."""

    def entries(self, *cases: tuple[str, str]) -> None:
        """Check entries."""
        self.check("ServiceEntry", [(spec.replace("; ", "\n"), words) for spec, words in cases])

    def test_hosts(self) -> None:
        """One host at least, and not the wildcard alone."""
        self.entries(
            (f"hosts: [a.example]; {PORTS}; resolution: DNS", ""),
            (f"hosts: []; {PORTS}; resolution: DNS", "spec.hosts"),
            (f"hosts: ['*']; {PORTS}; resolution: DNS", "spec.hosts[0]"),
        )

    def test_ports(self) -> None:
        """Numbers and names are told apart."""
        start = "hosts: [a.example]; resolution: DNS; "
        self.entries(
            (start + "ports: [{number: 0, name: http, protocol: HTTP}]", "0 is no port"),
            (start + "ports: [{number: 80, name: a_b, protocol: HTTP}]", "is no name of a port"),
            (start + "ports: [{number: 80, name: http, protocol: HTPP}]", "unknown protocol"),
            (start + "ports: [{number: 80, name: http, targetPort: 70000}]", "70000 is no port"),
            (start + "ports: [{number: 80, name: a}, {number: 80, name: b}]", "the number of ports[0] too"),
            (start + "ports: [{number: 80, name: a}, {number: 81, name: a}]", "the name of ports[0] too"),
            (
                "hosts: [a.example, b.example]; resolution: DNS; ports: [{number: 80, name: a, protocol: TCP}]",
                "several hosts on a port of protocol TCP",
            ),
        )

    def test_resolution(self) -> None:
        """Each resolution has the endpoints that it needs."""
        start = f"hosts: [a.example]; {PORTS}; "
        self.entries(
            (start + "resolution: STATIC; endpoints: [{address: 10.0.0.1}]", ""),
            (start + "resolution: STATIC", ""),
            (start + "resolution: STATIC; endpoints: [{address: b.example}]", "a name needs resolution DNS"),
            (start + "endpoints: [{address: 10.0.0.1}]", "was STATIC or DNS meant?"),
            (start + "resolution: DNS; endpoints: [{address: b.example}]", ""),
            (start + "resolution: DNS; endpoints: [{address: 'b_.example'}]", "endpoints[0].address"),
            (
                start + "resolution: DNS_ROUND_ROBIN; endpoints: [{address: b.example}, {address: c.example}]",
                "one at most",
            ),
        )

    def test_dynamic(self) -> None:
        """C{DYNAMIC_DNS} is for wildcards, whose names requests say."""
        start = f"hosts: ['*.a.example', '*-b.example']; {PORTS}; resolution: DYNAMIC_DNS"
        self.entries(
            (start, ""),
            (start + "; endpoints: [{address: b.example}]", ""),
            (start + "; addresses: [10.0.0.0/8]", "blocks of addresses go with NONE and STATIC only"),
            (start.replace("*.a", "a"), '"a.example" is no wildcard, which DYNAMIC_DNS is for: say DNS'),
            (start.replace("DYNAMIC_DNS", "DNS").replace(", '*-b.example'", ""), "can't be resolved by DNS"),
            (start.replace("DYNAMIC_DNS", "DNS").replace("'*.a.example', ", ""), "can't be resolved by DNS"),
        )
        one = start.replace(", '*-b.example'", "")
        warned = (
            (one, ""),
            (one + "; endpoints: [{address: b.example}]", "endpoints: changes nothing with DYNAMIC_DNS"),
            (one + "; workloadSelector: {labels: {a: b}}", "workloadSelector: changes nothing with DYNAMIC_DNS"),
            (one.replace("protocol: HTTP", "protocol: TCP"), "TCP has no names"),
        )
        self.check("ServiceEntry", [(spec.replace("; ", "\n"), words) for spec, words in warned], "warning")

    def test_selectors(self) -> None:
        """A selector goes with no endpoints, and has labels in full."""
        start = f"hosts: [a.example]; {PORTS}; resolution: STATIC; workloadSelector: "
        self.entries(
            (start + "{labels: {app: a}}", ""),
            (start + "{labels: {app: 'a*'}}", "a label is given in full"),
            (start + "{labels: {app: a}}; endpoints: [{address: 10.0.0.1}]", "goes with no endpoints"),
        )
        self.check("ServiceEntry", [((start + "{}").replace("; ", "\n"), "it has no labels")], "warning")

    def test_endpoints(self) -> None:
        """Endpoints' ports are those of the service; a UNIX socket has none."""
        start = f"hosts: [a.example]; {PORTS}; resolution: STATIC; endpoints: "
        self.entries(
            (start + "[{address: 10.0.0.1, ports: {http: 8080}}]", ""),
            (start + "[{address: 10.0.0.1, ports: {htpp: 8080}}]", 'did you mean "http"?'),
            (start + "[{address: 10.0.0.1, ports: {http: 0}}]", "0 is no port"),
            (start + "[{}]", "address: missing"),
            (start + "[{address: 'unix:///run/a'}]", ""),
            (start + "[{address: 'unix:///run/a', ports: {http: 80}}]", "a UNIX socket has no ports"),
            (start + "[{address: 'unix://a'}]", "is not unix:// with an absolute path"),
        )
