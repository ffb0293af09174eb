"""Tests of L{edgegate.istio.translate.portable}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.problems import Problems
from edgegate.istio.translate import CompileOptions
from edgegate.istio.translate.portable import warn_of_differences
from tests.istio.translate.compiling import decoded, gateway, route, virtual_service
from tests.istio.translate.guards.test_targets import policy

ISTIO = "apiVersion: networking.istio.io/v1"


def entry(host: str, rest: str = "endpoints: [{address: 10.0.0.1}]", resolution: str = "STATIC") -> str:
    """Write a ServiceEntry with port 80."""
    return (
        f"{ISTIO}\nkind: ServiceEntry\nmetadata: {{name: web}}\n"
        f"spec: {{hosts: [{host}], resolution: {resolution}, ports: [{{number: 80, name: http}}], {rest}}}\n---\n"
    )


class DifferencesTestCase(SynchronousTestCase):
    """What is told of documents."""

    def check(self, text: str, *told: str, options: CompileOptions | None = None) -> None:
        """Check that these begin what is told."""
        resources, problems = decoded(text)
        self.assertEqual(problems.errors, 0, list(map(str, problems)))
        problems = Problems()
        warn_of_differences(resources, options or CompileOptions(), problems)
        found = [str(problem).split(" warning: ", 1)[1] for problem in problems]
        self.assertEqual(len(found), len(told), found)
        for line, begin in zip(found, told, strict=True):
            self.assertTrue(line.startswith(begin), line)


class PortableTests(DifferencesTestCase):
    """Where a cluster would do otherwise."""

    def test_portable(self) -> None:
        """Of what a cluster takes as it is taken here nothing is told."""
        body = f"http: [{route('web.example.com')}]"
        text = gateway("gw", "80 HTTP a.example.com") + virtual_service("a", "a.example.com", body)
        self.check(text + entry("web.example.com"))

    def test_own_kinds(self) -> None:
        """A policy of edgegate's own guards nothing there."""
        web = gateway("gw", "80 HTTP a.example.com")
        self.check(web + policy(), "in a cluster nobody is refused because of it: Istio has no AddressListPolicy")

    def test_destinations(self) -> None:
        """Spellings that mean a service here alone, and addresses, which are none there."""
        service = entry("www.default.svc.cluster.local")
        for host, told in (
            ("www", ""),
            ("www.default.svc.cluster.local", ""),
            ("www.default", '"www.default" is taken as it stands, since it has a dot'),
            ("www.default.svc", '"www.default.svc" is taken as it stands'),
            ("127.0.0.1", '"127.0.0.1" is no service'),
            ("localhost", '"localhost" is no service'),
        ):
            text = service + virtual_service("a", "a.example", f"http: [{route(host)}]")
            begin = [f"spec.http[0].route[0].destination.host: in a cluster {told}"] if told else []
            self.check(text, "spec.hosts[0]: in a cluster", *begin)
        mirrored = f"http: [{route('www', mirror='{host: www.default, port: {number: 80}}')}]"
        text = service + virtual_service("a", "a.example", mirrored)
        self.check(text, "spec.hosts[0]: in a cluster", "spec.http[0].mirror.host: in a cluster")
        rule = f"{ISTIO}\nkind: DestinationRule\nmetadata: {{name: a}}\nspec: {{host: www.default}}\n"
        self.check(service + rule, "spec.hosts[0]: in a cluster", "spec.host: in a cluster")

    def test_service_entries(self) -> None:
        """Hosts and endpoints of ServiceEntries."""
        for text, told in (
            (entry("web"), 'spec.hosts[0]: in a cluster "web" stands for itself alone'),
            (entry("web.default.svc.cluster.local"), "spec.hosts[0]: in a cluster"),
            (entry("a.example", "addresses: [10.0.0.1]"), "spec.addresses: in a cluster these are no endpoints"),
            (entry("a.example", "addresses: [10.0.0.1]", "NONE"), "spec.addresses: in a cluster a gateway does not go"),
            (entry("a.example", "endpoints: [{address: 127.0.0.1}]"), "spec.endpoints[0].address: in a cluster"),
            (entry("a.example", "endpoints: [{address: 'unix:///a.sock'}]"), "spec.endpoints[0].address: in a cluster"),
        ):
            self.check(text, told)
        workload = f"{ISTIO}\nkind: WorkloadEntry\nmetadata: {{name: a}}\nspec: {{address: localhost}}\n"
        self.check(workload, "spec.address: in a cluster")

    def test_hosts(self) -> None:
        """A VirtualService's host without a dot is another there."""
        text = virtual_service("a", "web,*.example", f"http: [{route('web.example')}]")
        self.check(text, 'spec.hosts[0]: in a cluster "web" has no dot, and so means web.default.svc.cluster.local')
        for gateways in ("", "gateways: [mesh], "):
            self.check(text.replace("gateways: [gw], ", gateways))

    def test_localhost(self) -> None:
        """A Gateway's host localhost is a short name there; names below it are not."""
        text = f"{ISTIO}\nkind: Gateway\nmetadata: {{name: gw}}\nspec:\n  servers:\n"
        text += "  - {port: {number: 80, name: http, protocol: HTTP}, hosts: [a.localhost, default/localhost]}\n"
        self.check(text, 'spec.servers[0].hosts[1]: in a cluster "default/localhost" is a short name, and refused')

    def test_key_material(self) -> None:
        """Files of this machine, and Secrets where a cluster does not look for them."""
        files = "443 HTTPS a.example,* {mode: SIMPLE, serverCertificate: a.crt, privateKey: a.key}"
        begin = "spec.servers[0].tls."
        self.check(gateway("gw", files), begin + "serverCertificate: in a cluster", begin + "privateKey: in a cluster")
        secret = "apiVersion: v1\nkind: Secret\nmetadata: {{name: s, namespace: {}}}\n---\n".format
        named = gateway("gw", "443 HTTPS a.example,* {mode: SIMPLE, credentialName: s}")
        self.check(named + secret("default"), begin + "credentialName: in a cluster a Secret is looked for")
        self.check(named + secret("istio-system"))

    def test_spellings(self) -> None:
        """Fields in protobuf's spelling are known here alone; keys of the user's own are no fields."""
        body = "http: [{direct_response: {status: 200}, headers: {response: {set: {x_max_age: a}}}}]"
        told = "the API does not know direct_response: write directResponse"
        self.check(virtual_service("a", "a.example", body), f"spec.http[0].direct_response: in a cluster {told}")

    def test_conditions(self) -> None:
        """Conditions that count for less there."""
        text = virtual_service("a", "a.example", f"tcp: [{route('a.example', match='[{sourceSubnet: 10.0.0.0/8}]')}]")
        self.check(text, "spec.tcp[0].match[0].sourceSubnet: in a cluster it is not looked at")
        without = "match: [{withoutHeaders: {x-a: {exact: %s}}}]"
        root = virtual_service("a", "a.example", f"http: [{{{without % 'a'}, delegate: {{name: b}}}}]")
        leaf = f"{{{without % 'b'}, directResponse: {{status: 200}}}}"
        delegate = f"{ISTIO}\nkind: VirtualService\nmetadata: {{name: b}}\nspec: {{http: [{leaf}]}}\n"
        self.check(root + delegate, "spec.http[0].delegate: in a cluster the delegate's condition of withoutHeaders")
        self.check(root + delegate.replace("x-a", "x-b"))
