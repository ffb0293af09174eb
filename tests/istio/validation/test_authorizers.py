"""Tests of L{edgegate.istio.validation.authorizers}."""

from __future__ import annotations

from tests.istio.validation.cases import CasesTestCase

HTTP = "extensionProviders: [{name: a, envoyExtAuthzHttp: {service: a.example, port: 80, timeout: 1s, %s}}]"
GRPC = "extensionProviders: [{name: a, envoyExtAuthzGrpc: {service: a.example, port: 80, timeout: 1s, %s}}]"


class AuthorizersTests(CasesTestCase):
    """Services that say who may pass."""

    def test_places(self) -> None:
        """A service is a host, perhaps with its namespace; a port may be a text."""
        place = "extensionProviders: [{name: a, %s: {service: %s, port: %s, timeout: 1s}}]"
        for kind in ("envoyExtAuthzHttp", "envoyExtAuthzGrpc"):
            self.check(
                "MeshConfig",
                [
                    (place % (kind, "auth.example", "8000"), ""),
                    (place % (kind, "ns/auth.example", '"8000"'), ""),
                    (place % (kind, "a/b/c", "8000"), f'{kind}.service: "a/b/c" is no service'),
                    (place % (kind, '"*.example"', "8000"), f'{kind}.service: "*.example" is no service'),
                    (place % (kind, '""', "8000"), f'{kind}.service: "" is no service'),
                    (place % (kind, "a", "0"), f"{kind}.port: 0 is no port"),
                    (place % (kind, "a", '"http"'), f'{kind}.port: "http" is no port'),
                    (place % (kind, "a", '"70000"'), f'{kind}.port: "70000" is no port'),
                    (place % (kind, "a", "[1]"), f"{kind}.port: expected integer or string"),
                ],
            )

    def test_values(self) -> None:
        """Statuses, paths and bodies are what there can be."""
        body = "includeRequestBodyInCheck: {maxRequestBytes: %s}"
        self.check(
            "MeshConfig",
            [
                (HTTP % 'statusOnError: "503"', ""),
                (GRPC % 'statusOnError: "401"', ""),
                (HTTP % 'statusOnError: "99"', 'statusOnError: "99" is no status'),
                (GRPC % 'statusOnError: "600"', 'statusOnError: "600" is no status'),
                (HTTP % 'statusOnError: "forbidden"', 'statusOnError: "forbidden" is no status'),
                (HTTP % "includeAdditionalHeadersInCheck: {x-a: a, X-A: b}", "X-A: X-A is given twice"),
                *(
                    (HTTP % f'headersToUpstreamOnAllow: ["{name}"]', f"{name} is for no header")
                    for name in ("x-*-user", "**", "*-x-*", "x-**")
                ),
                (HTTP % "pathPrefix: /check/", ""),
                (HTTP % "pathPrefix: check", 'pathPrefix: "check" is no path'),
                (HTTP % "pathPrefix: /a?b", 'pathPrefix: "/a?b" is no path'),
                (HTTP % 'pathPrefix: "/a b"', 'pathPrefix: "/a b" is no path'),
                (HTTP % (body % "1"), ""),
                (HTTP % (body % "0"), "maxRequestBytes: it says how many bytes"),
                (GRPC % "includeRequestBodyInCheck: {}", "maxRequestBytes: it says how many bytes"),
            ],
        )

    def test_headers(self) -> None:
        """A header is listed by its name, or by how it begins or ends; all of them are not."""
        for field in (
            *("includeHeadersInCheck", "includeRequestHeadersInCheck", "headersToUpstreamOnAllow"),
            *("headersToDownstreamOnAllow", "headersToDownstreamOnDeny"),
        ):
            self.check(
                "MeshConfig",
                [
                    (HTTP % f'{field}: [x-a, "x-*", "*-id", Cookie]', ""),
                    (HTTP % f'{field}: [x-a, "*"]', f"{field}[1]: * is for no header"),
                    (HTTP % f'{field}: ["a b"]', f'{field}[0]: "a b" is no name of a header'),
                    (HTTP % f'{field}: [":path"]', f"{field}[0]: :path is no header"),
                ],
            )

    def test_added(self) -> None:
        """What is added has a name, and a value of operators that there are."""
        added = HTTP % "includeAdditionalHeadersInCheck: {%s}"
        self.check(
            "MeshConfig",
            [
                (added % 'x-a: b, x-url: "https://%REQ(:AUTHORITY)%%REQ(:PATH)%"', ""),
                (added % 'x-a: "%REQUEST%"', "x-a: unknown operator %REQUEST%"),
                (added % 'x-a: "100%"', "x-a: a % that begins no operator"),
                (added % '"a b": c', '"a b" is no name of a header'),
                (added % "Content-Length: '1'", "Content-Length is said by the check itself"),
            ],
        )

    def test_warnings(self) -> None:
        """What does nothing, or something that is rarely meant, is warned of."""
        place = "extensionProviders: [{name: a, envoyExtAuthzGrpc: {service: a, port: 80}}]"
        self.check(
            "MeshConfig",
            [
                (place, "envoyExtAuthzGrpc: no timeout is said: as in Istio a request waits 600 seconds"),
                (HTTP % "includeHeadersInCheck: [a], includeRequestHeadersInCheck: [b]", "includeHeadersInCheck: does"),
                (HTTP % "headersToUpstreamOnAllow: [x-a, X-Forwarded-For]", "[1]: X-Forwarded-For is said by the"),
                (HTTP % 'includeAdditionalHeadersInCheck: {a: "%TRAILER(x)%"}', "%TRAILER% stands for nothing here"),
                (
                    HTTP % "includeRequestBodyInCheck: {maxRequestBytes: 1, packAsBytes: true}",
                    "includeRequestBodyInCheck.packAsBytes: does nothing over HTTP",
                ),
                (GRPC % "includeRequestBodyInCheck: {maxRequestBytes: 1, packAsBytes: true}", ""),
                (HTTP % "failOpen: true", ""),
            ],
            "warning",
        )
