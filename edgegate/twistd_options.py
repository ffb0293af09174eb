"""What C{twistd edgegate} can be told: the options, checked, as values."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace

from twisted.python import usage

from edgegate.access_log_options import asked_access_logs
from edgegate.admin.address import DEFAULT, parse_admin_address
from edgegate.admin.options import AdminOptions, beyond_loopback
from edgegate.debug_options import PARAMETERS as DEBUG_PARAMETERS
from edgegate.debug_options import recent_requests
from edgegate.downstream.proxy_protocol import ProxyProtocolRules
from edgegate.http.fields import Underscores
from edgegate.http.filters.plugins import find, installed
from edgegate.http.target import PathNormalisation
from edgegate.metrics_options import PARAMETERS as METRICS_PARAMETERS
from edgegate.metrics_options import metrics_options
from edgegate.model.proxy import NO_SETTINGS, ProxySettings
from edgegate.model.tracing import SERVICE
from edgegate.observe.export.otlp import Attribute, service_resource
from edgegate.option_values import (
    parse_header_name,
    parse_hops,
    parse_ignored_kind,
    parse_issuer,
    parse_label,
    parse_locality,
    parse_namespace,
    parse_network,
    parse_port_map,
    parse_proxy_port,
    parse_seconds,
    parse_server,
    parse_workers,
    read_authorities,
)
from edgegate.overload_options import PARAMETERS as OVERLOAD_PARAMETERS
from edgegate.overload_options import overload_limits
from edgegate.request_limit_options import PARAMETERS as REQUEST_LIMIT_PARAMETERS
from edgegate.request_limit_options import request_limits
from edgegate.server.gateway_options import GatewayOptions
from edgegate.sources.loading import Configuration
from edgegate.sources.source import ConfigurationSource
from edgegate.tracing_options import PARAMETERS as TRACING_PARAMETERS
from edgegate.tracing_options import tracing
from edgegate.upstream.dns.name_files import PORT
from edgegate.upstream.locality import Place
from edgegate.version import described


class Options(usage.Options):
    """What C{twistd edgegate} can be told."""

    synopsis = "[options]"
    longdesc = (
        "Serve Istio's Gateway, VirtualService and ServiceEntry files on this machine. The files are checked first: "
        "with errors in them nothing is opened, and the exit status is 78."
    )

    optParameters = [
        ["config", "c", None, "Folder of YAML files, one file, or - for standard input. Required."],
        [
            "access-log",
            None,
            None,
            "File that gets a line for each request and relay, - for standard output, syslog:unix:/dev/log, "
            "syslog:udp:HOST:PORT, otlp:http://HOST:4318 for a collector of OpenTelemetry's, or none. SIGUSR1 reopens "
            "it. [default: what MeshConfig and Telemetry say, else -]",
        ],
        [
            "admin",
            None,
            None,
            "Where the gateway can be looked into: HOST:PORT, the path of a UNIX socket, or none. "
            f"[default: {DEFAULT}, unless that is taken]",
        ],
        [
            "admin-token-file",
            None,
            None,
            "File with the token that the admin listener asks for (Authorization: Bearer TOKEN). Required where "
            "--admin is not on loopback; read again when it changes.",
        ],
        [
            "access-log-format",
            None,
            None,
            "text (Istio's default line), json, or a format of your own: text with Envoy's command operators, as "
            "'%REQ(:METHOD)% %RESPONSE_CODE%', or a JSON object of such texts. [default: text]",
        ],
        ["log-format", None, "text", "Of what the gateway says of itself: text or json."],
        [
            "jwks-ca",
            None,
            None,
            "File with certificates (PEM) of authorities that are trusted besides the system's where keys of tokens "
            "are fetched (jwksUri of RequestAuthentication). Read at the start.",
        ],
        [
            "trusted-hops",
            None,
            None,
            "How many proxies in front of this one are trusted to say who the client is (x-forwarded-for). [default: "
            "as MeshConfig says, else 0]",
            parse_hops,
        ],
        *REQUEST_LIMIT_PARAMETERS,
        [
            "path-normalization",
            None,
            None,
            "In which form paths are matched and sent on: none, base, merge-slashes or decode-and-merge-slashes. "
            "[default: what MeshConfig.pathNormalization says, else base]",
        ],
        [
            "workers",
            None,
            1,
            "Processes that serve: a number, or auto for as many as there are processors that this process may use.",
            parse_workers,
        ],
        [
            "locality",
            None,
            None,
            "Where this gateway is: REGION, REGION/ZONE or REGION/ZONE/SUBZONE. Endpoints near it are preferred where "
            "a DestinationRule's localityLbSetting says so.",
        ],
        *OVERLOAD_PARAMETERS,
        *METRICS_PARAMETERS,
        *TRACING_PARAMETERS,
        *DEBUG_PARAMETERS,
        [
            "drain-timeout",
            None,
            "30s",
            "How long requests and relays may go on after the gateway was told to end; what is left then is reset.",
        ],
        [
            "drain-delay",
            None,
            "0s",
            "How long the gateway serves on after it was told to end, and says that it is not ready: for load "
            "balancers that have to see that before its ports close.",
        ],
        [
            "upgrade-drain-timeout",
            None,
            "10m",
            "How long connections may go on in this process once a new one serves in its place (SIGUSR2, edgegate "
            "upgrade); what is left then is reset.",
        ],
    ]

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        # of options that are methods it is the docstring, line breaks and indentation included
        self.docs = {name: " ".join((words or "").split()) for name, words in self.docs.items()}
        self["selector"] = {}
        self["map-port"] = {}
        self["ignore-kind"] = []
        self["key-authorities"] = b""
        self["gateway-namespace"] = None
        self["certificate-issuer"] = None
        self["watch"] = True
        self["shadow-hosts"] = False
        self["strict"] = False
        self["admin-quit"] = False
        self["proxy-protocol"] = {}
        self["proxy-protocol-from"] = []
        self["dns-server"] = []
        self["http-filter"] = []
        self["tap-redact"] = []
        self["debug-from"] = []

    def opt_selector(self, label: str) -> None:
        """
        A label of this gateway, KEY=VALUE; repeatable. Only Gateways whose selector these labels satisfy are
        served. By default all are. A DestinationRule's failoverPriority compares them with those of endpoints.
        """
        try:
            key, value = parse_label(label)
        except ValueError as error:
            raise usage.UsageError(f"--selector: {error}") from None
        self["selector"][key] = value

    def opt_ignore_kind(self, kind: str) -> None:
        """
        AuthorizationPolicy or RequestAuthentication; repeatable: nothing is refused because of documents of this kind.
        """
        try:
            self["ignore-kind"].append(parse_ignored_kind(kind))
        except ValueError as error:
            raise usage.UsageError(f"--ignore-kind: {error}") from None

    def opt_gateway_namespace(self, name: str) -> None:
        """
        The namespace that this gateway is in: access policies without targetRefs are looked for there and in the
        root namespace. By default it is the root namespace, or default where no document names another.
        """
        try:
            self["gateway-namespace"] = parse_namespace(name)
        except ValueError as error:
            raise usage.UsageError(f"--gateway-namespace: {error}") from None

    def opt_certificate_issuer(self, name: str) -> None:
        """
        The CertificateIssuer of Gateways that name none, NAME or NAMESPACE/NAME: it issues the certificates of servers
        whose credentialName no Secret provides.
        """
        try:
            self["certificate-issuer"] = parse_issuer(name)
        except ValueError as error:
            raise usage.UsageError(f"--certificate-issuer: {error}") from None

    def opt_map_port(self, pair: str) -> None:
        """
        Bind another port than the files say, FILE:BOUND, for example 80:8080; repeatable. Matching, redirects and
        logs keep the file's number.
        """
        try:
            given, bound = parse_port_map(pair)
        except ValueError as error:
            raise usage.UsageError(f"--map-port: {error}") from None
        self["map-port"][given] = bound

    def opt_proxy_protocol(self, port: str) -> None:
        """
        A port, by the number in the files, whose connections begin with a PROXY header (version 1 or 2) from a load
        balancer in front: PORT, or PORT:optional where connections may do without; repeatable.
        """
        try:
            number, optional = parse_proxy_port(port)
        except ValueError as error:
            raise usage.UsageError(f"--proxy-protocol: {error}") from None
        self["proxy-protocol"][number] = optional

    def opt_proxy_protocol_from(self, network: str) -> None:
        """
        A network or address of load balancers whose PROXY headers are believed, for example 10.1.0.0/16; repeatable.
        Required with --proxy-protocol. Who connects from elsewhere is closed, or taken as it is where a header is
        optional.
        """
        try:
            self["proxy-protocol-from"].append(parse_network(network))
        except ValueError as error:
            raise usage.UsageError(f"--proxy-protocol-from: {error}") from None

    def opt_dns_server(self, server: str) -> None:
        """
        A name server that is asked for the names of backends, an IP address or ADDRESS:PORT; repeatable, asked in this
        order. Nobody else is asked then. By default names are found as the system finds them.
        """
        try:
            self["dns-server"].append(parse_server(server, PORT))
        except ValueError as error:
            raise usage.UsageError(f"--dns-server: {error}") from None

    def opt_http_filter(self, name: str) -> None:
        """
        The name of an HTTP filter of a Twisted plugin on Python's path; repeatable. Requests meet these filters in this
        order, and then those that the files ask for. See docs/extending.md.
        """
        try:
            factory = find(name, *installed())
            if factory in self["http-filter"]:
                raise ValueError(f"{name!r} is there twice")
            self["http-filter"].append(factory)
        except ValueError as error:
            raise usage.UsageError(f"--http-filter: {error}") from None

    def opt_tap_redact(self, name: str) -> None:
        """
        A header whose value /tap and /requests on the admin listener do not show, besides authorization,
        proxy-authorization, cookie, set-cookie and x-forwarded-client-cert; repeatable.
        """
        try:
            self["tap-redact"].append(parse_header_name(name))
        except ValueError as error:
            raise usage.UsageError(f"--tap-redact: {error}") from None

    def opt_debug_from(self, networks: str) -> None:
        """
        Networks or addresses of clients that may ask which way their requests took (x-edgegate-explain), for example
        10.1.0.0/16,::1; repeatable. Nobody else is told, and by default nobody is.
        """
        try:
            self["debug-from"] += map(parse_network, networks.split(","))
        except ValueError as error:
            raise usage.UsageError(f"--debug-from: {error}") from None

    def opt_shadow_hosts(self) -> None:
        """
        Put -shadow behind the host of what is sent to mirrors, as Istio did with DISABLE_SHADOW_HOST_SUFFIX=false.
        """
        self["shadow-hosts"] = True

    def opt_strict(self) -> None:
        """
        Take warnings for errors, at the start and on a reload, but for those of certificates that expire soon or have
        expired.
        """
        self["strict"] = True

    def opt_admin_quit(self) -> None:
        """
        Let POST /quitquitquit on the admin listener end the gateway at once, without a drain.
        """
        self["admin-quit"] = True

    def opt_no_watch(self) -> None:
        """Do not watch the files: reload on SIGHUP and `edgegate reload` only."""
        self["watch"] = False

    def opt_version(self) -> None:
        """Print edgegate's version and exit."""
        sys.stdout.write(f"{described()}\n")
        raise SystemExit(0)

    def parseArgs(self, *others: str) -> None:
        """Refuse what is no option; what `edgegate check` takes so is named by --config here."""
        if others:
            words = f"{others[0]!r} is no option"
            raise usage.UsageError(words if self["config"] else f"{words}: files are named by --config {others[0]}")

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """
        Take the options.

        @raise usage.UsageError: Something is wrong with them.
        """
        self["arguments"] = tuple(options or ())
        super().parseOptions(options)  # type: ignore[no-untyped-call]

    def postOptions(self) -> None:
        """Check what belongs together."""
        if not self["config"]:
            raise usage.UsageError("--config is required: a folder, a file, or - for standard input")
        if bool(self["proxy-protocol"]) != bool(self["proxy-protocol-from"]):
            raise usage.UsageError(
                "--proxy-protocol and --proxy-protocol-from belong together: who is believed can say that it is anyone"
            )
        self._check_admin()
        given = self["path-normalization"]
        try:
            self["paths"] = None if given is None else PathNormalisation(given)
        except ValueError:
            known = ", ".join(each.value for each in PathNormalisation)
            raise usage.UsageError(f"--path-normalization is one of {known}") from None
        try:
            self["locality"] = parse_locality(self["locality"] or "")
        except ValueError as error:
            raise usage.UsageError(f"--locality: {error}") from None
        for option in ("drain-timeout", "drain-delay", "upgrade-drain-timeout"):
            try:
                self[option] = parse_seconds(self[option])
            except ValueError as error:
                raise usage.UsageError(f"--{option}: {error}") from None
        if self["log-format"] not in ("text", "json"):
            raise usage.UsageError("--log-format is text or json")
        try:
            self["limits"] = request_limits(self)
            self["overload"] = overload_limits(self)
            self["metrics"] = metrics_options(self)
            self["tracing"] = tracing(self)
            self["kept-requests"] = recent_requests(self)
            self["key-authorities"] = b"" if self["jwks-ca"] is None else read_authorities("jwks-ca", self["jwks-ca"])
            self["access-logs"] = asked_access_logs(self["access-log"], self["access-log-format"])
        except ValueError as error:
            raise usage.UsageError(str(error)) from None

    def configuration(self, source: ConfigurationSource) -> Configuration:
        """Return how the documents of a source are to be taken, in a process that is the gateway's own."""
        return Configuration(
            source,
            self["selector"] or None,
            self["map-port"],
            frozen=True,
            ignored_kinds=self["ignore-kind"],
            strict=self["strict"],
            gateway_namespace=self["gateway-namespace"],
            certificate_issuer=self["certificate-issuer"],
        )

    def resource(self) -> list[Attribute]:
        """Return what collectors of access logs are told of this process, as those of traces are."""
        return service_resource(self["trace-service"] or SERVICE, os.uname().nodename)

    def _check_admin(self) -> None:
        """Find out where the gateway can be looked into, and by whom."""
        try:
            self["admin-address"] = parse_admin_address(self["admin"] or DEFAULT)
        except ValueError as error:
            raise usage.UsageError(f"--admin: {error}") from None
        if self["admin-token-file"] == "":
            raise usage.UsageError("--admin-token-file: it is empty")
        if beyond_loopback(self["admin-address"]) and self["admin-token-file"] is None:
            raise usage.UsageError(
                f"--admin {self['admin']}: other machines may reach it, so it needs an --admin-token-file"
            )
        try:
            self["metrics-address"] = parse_admin_address(self["metrics-listen"])
        except ValueError as error:
            raise usage.UsageError(f"--metrics-listen: {error}") from None

    def admin_options(self) -> AdminOptions:
        """Return what the admin listener is told."""
        token_file = self["admin-token-file"]
        if token_file is not None:
            # a daemon may change its folder
            token_file = os.path.abspath(token_file)  # noqa: PTH100
        return AdminOptions(
            token_file, self["admin-quit"], frozenset(self["tap-redact"]), keeps_requests=self["kept-requests"] > 0
        )

    def gateway_options(self, proxy: ProxySettings = NO_SETTINGS) -> GatewayOptions:
        """
        Return what stays the same whatever files say.

        @param proxy: What the files say at the start; an option wins over it.
        """
        limits, hops = self["limits"], self["trusted-hops"]
        if self["headers-with-underscores"] is None and proxy.underscores:
            limits = replace(limits, underscores=Underscores(proxy.underscores))
        return GatewayOptions(
            trusted_hops=(proxy.trusted_hops or 0) if hops is None else hops,
            paths=self["paths"] or PathNormalisation(proxy.paths or PathNormalisation.BASE.value),
            limits=limits,
            overload=self["overload"],
            proxy_protocol=ProxyProtocolRules(self["proxy-protocol"], tuple(self["proxy-protocol-from"])),
            place=Place(self["locality"], tuple(sorted(self["selector"].items()))),
            dns_servers=tuple(self["dns-server"]),
            shadow_hosts=self["shadow-hosts"],
            http_filters=tuple(self["http-filter"]),
            debug_from=tuple(self["debug-from"]),
            recent_requests=self["kept-requests"],
            redacted=frozenset(self["tap-redact"]),
            drain=self["drain-timeout"],
            drain_delay=self["drain-delay"],
            upgrade_drain=self["upgrade-drain-timeout"],
            processes=self["workers"],
            metrics=self["metrics"],
            key_authorities=self["key-authorities"],
        )
