"""Tests of L{edgegate.istio.validation.mesh_config}."""

from __future__ import annotations

from tests.istio.validation.cases import CasesTestCase


class MeshConfigTests(CasesTestCase):
    """A MeshConfig by itself."""

    def test_formats(self) -> None:
        """Formats are of operators that there are, and are told with a suggestion."""
        log = "extensionProviders: [{name: a, envoyFileAccessLog: {logFormat: %s}}]"
        self.check(
            "MeshConfig",
            [
                ('accessLogFormat: "%PROTOCOL%"', ""),
                ('accessLogFormat: "%DURATON%"', 'unknown operator %DURATON%; did you mean "DURATION"?'),
                ('accessLogFormat: \'{"a": "%PROTOCOL%"}\'\naccessLogEncoding: JSON', ""),
                ("accessLogFormat: '{\"a\": NaN}'\naccessLogEncoding: JSON", "nan is no number of JSON"),
                (log % "{labels: {a: .inf}}", "logFormat.labels.a: .inf is no number that JSON knows"),
                ("accessLogFormat: x\naccessLogEncoding: JSON", "no JSON"),
                ('accessLogFormat: \'{"a": "%X%"}\'\naccessLogEncoding: JSON', "unknown operator %X%"),
                (log % "{text: '%X%'}", "logFormat.text: unknown operator %X%"),
                (log % "{labels: {a: {b: ['%X%']}}}", "logFormat.labels.a.b[0]: unknown operator %X%"),
                (log % "{labels: {a: 1, b: true}}", ""),
                (log % "{text: a, labels: {}}", "only one of"),
            ],
        )
        empty = ('accessLogFormat: "%CUSTOM_FLAGS%"', "%CUSTOM_FLAGS% stands for nothing here")
        self.check("MeshConfig", [empty, ('accessLogFormat: "%TRACE_ID%"', "")], "warning")

    def test_omitted(self) -> None:
        """That empty values are to be left out of a default format is told."""
        log = "extensionProviders: [{name: a, envoyFileAccessLog: {omitEmptyValues: true%s}}]"
        default = "omitEmptyValues: changes nothing: a default format"
        self.check(
            "MeshConfig",
            [
                (log % "", default),
                (log % ", logFormat: {labels: {}}", default),
                (log % ", logFormat: {text: ''}", default),
                (log % ", logFormat: {text: '%PROTOCOL%'}", ""),
            ],
            "warning",
        )

    def test_paths(self) -> None:
        """A path of a log may name a syslog, and then is written so."""
        log = "extensionProviders: [{name: a, envoyFileAccessLog: {path: '%s'}}]"
        self.check(
            "MeshConfig",
            [
                ("accessLogFile: syslog:unix:/dev/log", ""),
                ("accessLogFile: syslog:nowhere", "accessLogFile: a syslog is unix:/PATH"),
                (log % "syslog:udp:host:0", "envoyFileAccessLog.path: 'host:0' is no HOST"),
                (log % "otlp:http://collector:4318", ""),
                (log % "otlp:collector:4318", "envoyFileAccessLog.path: expected http://HOST:PORT"),
            ],
        )

    def test_collectors(self) -> None:
        """A collector of logs has a service and a port, which takes HTTP; formats are of operators that there are."""
        log = "extensionProviders: [{name: a, envoyOtelAls: {service: %s, port: %s%s}}]"
        self.check(
            "MeshConfig",
            [
                (log % ("infra/otel.example", 4318, ""), ""),
                (log % ("otel.example", 4318, ", logFormat: {text: '%PROTOCOL%', labels: {a: {b: '%DURATION%'}}}"), ""),
                (log % ("'*.example'", 4318, ""), 'envoyOtelAls.service: "*.example" is no service'),
                (log % ("a/b/c", 4318, ""), 'envoyOtelAls.service: "a/b/c" is no service'),
                (log % ("''", 4318, ""), "envoyOtelAls.service"),
                (log % ("otel.example", 0, ""), "envoyOtelAls.port: 0 is no port"),
                (log % ("otel.example", 4318, ", logFormat: {text: '%X%'}"), "logFormat.text: unknown operator %X%"),
                (log % ("otel.example", 4318, ", logFormat: {labels: {a: ['%X%']}}"), "logFormat.labels.a[0]: unknown"),
                ("extensionProviders: [{name: a, envoyOtelAls: {service: otel}}]", "port"),
            ],
        )
        self.check(
            "MeshConfig",
            [
                (log % ("otel.example", 4318, ""), ""),
                (log % ("otel.example", 4317, ""), "envoyOtelAls.port: lines are sent by OTLP over HTTP, and 4317 is"),
                (
                    log % ("otel.example", 4318, ", logFormat: {labels: {a: '%CUSTOM_FLAGS%'}}"),
                    "logFormat.labels.a: %CUSTOM_FLAGS% stands for nothing here",
                ),
            ],
            "warning",
        )

    def test_providers(self) -> None:
        """Each provider has a name of its own, and is something."""
        self.check(
            "MeshConfig",
            [
                ("extensionProviders: [{name: a, envoyFileAccessLog: {}}]", ""),
                ("extensionProviders: [{name: a}]", "it says what it is by one of its fields"),
                ("extensionProviders: [{name: a b, prometheus: {}}]", "is no name of a provider"),
                (
                    "extensionProviders: [{name: a, prometheus: {}}, {name: A, prometheus: {}}]",
                    'there is a provider "A" already',
                ),
            ],
        )
