"""Tests of L{edgegate.istio.validation.workload}."""

from __future__ import annotations

from tests.istio.validation.cases import CasesTestCase


class WorkloadEntryTests(CasesTestCase):
    """Endpoints by themselves."""

    def test_addresses(self) -> None:
        """An address is an IP address, a name or a UNIX socket."""
        self.check(
            "WorkloadEntry",
            [
                ("address: 10.0.0.1", ""),
                ("address: '::1'", ""),
                ("address: vm.example", ""),
                ("address: unix:///run/a.sock", ""),
                ("labels: {a: b}", "spec.address: missing"),
                ("network: vms", ""),
                ("address: '*.example'", "can't be a wildcard"),
                ("address: unix://run/a.sock", "absolute path"),
                ("address: unix:///" + "a" * 106, ""),
                ("address: unix:///" + "a" * 107, "108 bytes; sockets have 107 at most"),
                ("address: unix:///run/a.sock\nports: {http: 80}", "a UNIX socket has no ports"),
            ],
        )
        self.check("WorkloadEntry", [("network: vms", "left out")], "warning")

    def test_ports_and_labels(self) -> None:
        """Ports have names and are ports; labels are Kubernetes'."""
        self.check(
            "WorkloadEntry",
            [
                ("address: 10.0.0.1\nports: {http: 0}", "0 is no port"),
                ("address: 10.0.0.1\nports: {a_b: 80}", "no name of a port"),
                ("address: 10.0.0.1\nlabels: {a: 'b c'}", "no value of a label"),
            ],
        )


class WorkloadGroupTests(CasesTestCase):
    """What endpoints have in common."""

    def test_template(self) -> None:
        """A group has a template; what it says is checked as an entry's is."""
        self.check(
            "WorkloadGroup",
            [
                ("template: {}", ""),
                ("metadata: {labels: {a: b}}", "spec.template: missing"),
                ("template: {address: 'a b'}", "spec.template.address"),
                ("template: {ports: {http: 70000}}", "70000 is no port"),
                ("template: {}\nmetadata: {labels: {'': b}}", "no key of a label"),
            ],
        )

    def test_probes(self) -> None:
        """A probe says how to ask, of which port, and how often."""
        self.check(
            "WorkloadGroup",
            [
                (f"template: {{}}\nprobe: {{{probe}}}", words)
                for probe, words in (
                    ("httpGet: {port: 80, path: /healthz, scheme: HTTPS}", ""),
                    ("httpGet: {port: 0}", "0 is no port"),
                    ("httpGet: {port: 80, scheme: FTP}", "neither HTTP nor HTTPS"),
                    ("httpGet: {port: 80, path: healthz}", "does not begin with /"),
                    ("httpGet: {port: 80, httpHeaders: [{name: 'a b'}]}", "no name of a header"),
                    ("tcpSocket: {port: 70000}", "70000 is no port"),
                    ("grpc: {service: a}", "0 is no port"),
                    ("grpc: {port: 80}, timeoutSeconds: -1", "-1 is less than 0"),
                    ("httpGet: {port: 80, httpHeaders: [{name: 'a!'}]}", "no name of a header"),
                    ('httpGet: {port: 80, httpHeaders: [{name: a, value: "b\\nc: d"}]}', "has control characters"),
                    ("exec: {command: [ls]}", ""),
                    ("exec: {command: []}", "exec.command: missing"),
                    ("periodSeconds: 3", "does not say how to ask"),
                )
            ],
        )
