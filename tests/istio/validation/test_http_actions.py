"""Tests of L{edgegate.istio.validation.http_actions}."""

from __future__ import annotations

from edgegate.istio.validation.http_actions import MAX_BODY
from tests.istio.validation.cases import ROUTE, CasesTestCase, routing


class HTTPActionsTests(CasesTestCase):
    """What a route does beside routing."""

    def actions(self, *cases: tuple[str, str]) -> None:
        """Check what stands beside a route."""
        self.check("VirtualService", [(routing(f"{{route: {ROUTE}, {action}}}"), words) for action, words in cases])

    def alone(self, *cases: tuple[str, str]) -> None:
        """Check what stands in place of a route."""
        self.check("VirtualService", [(routing(f"{{{action}}}"), words) for action, words in cases])

    def test_redirect(self) -> None:
        """A redirect leads elsewhere."""
        self.alone(
            ("redirect: {uri: /a}", ""),
            ("redirect: {port: 8443, redirectCode: 308}", ""),
            ('redirect: {uri: "/a?b=c#d"}', ""),
            ('redirect: {prefixRewrite: "/a#d"}', "has a fragment"),
            ("redirect: {}", "it leads back to itself"),
            ("redirect: {uri: /a, prefixRewrite: /b}", "prefixRewrite: goes with no uri"),
            ("redirect: {uri: /a, redirectCode: 200}", "200 is no redirect"),
            ("redirect: {scheme: ftp}", "neither http nor https"),
            ("redirect: {port: 0}", "0 is no port"),
            ("redirect: {uri: /a}, rewrite: {uri: /b}", "rewrite: goes with no redirect"),
        )

    def test_answer(self) -> None:
        """A direct answer has a status and a bounded body."""
        self.alone(
            ("directResponse: {status: 200, body: {string: hello}}", ""),
            ("directResponse: {status: 199}", "199 is no status"),
            (f"directResponse: {{status: 200, body: {{string: {'x' * (MAX_BODY + 1)}}}}}", f"at most {MAX_BODY}"),
            ("directResponse: {status: 200}, fault: {abort: {httpStatus: 500}}", "fault: goes with no directResponse"),
        )

    def test_rewrite(self) -> None:
        """A rewrite rewrites something, in one way."""
        self.actions(
            ("rewrite: {uri: /a, authority: b}", ""),
            ("rewrite: {uriRegexRewrite: {match: '/(.*)', rewrite: '/x/\\1'}}", ""),
            ("rewrite: {}", "it rewrites nothing"),
            ("rewrite: {uri: /a, uriRegexRewrite: {match: a, rewrite: b}}", "goes with no uri"),
            ("rewrite: {uriRegexRewrite: {match: a}}", "needs both match and rewrite"),
            ("rewrite: {uriRegexRewrite: {match: '(', rewrite: b}}", "not a regular expression"),
        )

    def test_retries(self) -> None:
        """Conditions are Envoy's words, or statuses."""
        self.actions(
            ("retries: {attempts: 3, retryOn: '5xx, connect-failure,503', perTryTimeout: 1s}", ""),
            ("retries: {attempts: 0}", ""),
            ("retries: {attempts: -1}", "-1 is below 0"),
            ("retries: {attempts: 0, retryOn: 5xx}", "0 turns retries off"),
            ("retries: {attempts: 1, retryOn: conect-failure}", 'did you mean "connect-failure"?'),
        )

    def test_fault(self) -> None:
        """Failures on purpose are possible ones."""
        self.actions(
            ("fault: {delay: {fixedDelay: 1s, percentage: {value: 0.1}}, abort: {grpcStatus: UNAVAILABLE}}", ""),
            ("fault: {}", "it does nothing"),
            ("fault: {abort: {httpStatus: 100}}", "100 is no status"),
            ("fault: {abort: {grpcStatus: UNAVAILBLE}}", 'did you mean "UNAVAILABLE"?'),
            ("fault: {abort: {http2Error: a}}", "not supported"),
            ("fault: {abort: {httpStatus: 500, percentage: {value: 101}}}", "101.0 is neither 0 nor between"),
            ("fault: {delay: {exponentialDelay: 1s}}", "not supported"),
            ("fault: {delay: {fixedDelay: 1s, percent: 101}}", "101 is not between 0 and 100"),
        )

    def test_cors(self) -> None:
        """Origins, methods, headers and ages."""
        self.actions(
            ("corsPolicy: {allowOrigins: [{exact: '*'}], allowMethods: [GET], maxAge: 24h}", ""),
            ("corsPolicy: {allowOrigins: [{}]}", "exact, prefix or regex is missing"),
            ("corsPolicy: {allowMethods: [GTE]}", 'unknown method "GTE"'),
            ("corsPolicy: {allowHeaders: ['a b']}", "is no name of a header"),
            ("corsPolicy: {maxAge: 1.5s}", "only whole seconds"),
        )

    def test_anybody_with_credentials(self) -> None:
        """Where every origin is allowed, credentials are told of."""
        told = "pages of any site may then read the answers with their users' cookies"
        cases = [
            (routing(f"{{route: {ROUTE}, corsPolicy: {{{policy}, allowCredentials: true}}}}"), words)
            for policy, words in (
                ("allowOrigins: [{exact: '*'}]", told),
                ("allowOrigins: [{exact: https://a.example}, {regex: '.*'}]", told),
                ("allowOrigin: ['*']", told),
                ("allowOrigins: [{exact: https://a.example}, {regex: 'https://.*'}]", ""),
            )
        ]
        self.check("VirtualService", cases, "warning")

    def test_slashes(self) -> None:
        """A slash that is lost or doubled between a new prefix and the rest is told of, with what comes of it."""
        cases = [
            (routing(f"{{match: [{match}], rewrite: {{uri: {uri}}}, route: {ROUTE}}}"), words)
            for match, uri, words in (
                ("{uri: {prefix: /a/}}", "/v2", "rewrite.uri: a slash is lost: /a/x becomes /v2x"),
                ("{uri: {prefix: /a}}", "/v2/", "rewrite.uri: a slash is doubled: /a/x becomes /v2//x"),
                ("{uri: {prefix: /a}}", "/", "rewrite.uri: a slash is doubled: /a/x becomes //x"),
                ("{uri: {prefix: /a}}", "/v2", ""),
                ("{uri: {prefix: /a/}}", "/", ""),
                ("{uri: {prefix: /a}}, {uri: {prefix: /b/}}", "/v2", "/b/x becomes /v2x"),
                ("{uri: {exact: /a/}}", "/v2", ""),
                ("{uri: {regex: /a/.*}}", "/v2", ""),
                ("{method: {exact: PUT}}", "/v2", "a slash is lost: /x becomes /v2x"),
            )
        ]
        cases += [
            (routing(f"{{rewrite: {{uri: /v2}}, route: {ROUTE}}}"), "a slash is lost: /x becomes /v2x"),
            (routing(f"{{rewrite: {{authority: a.example}}, route: {ROUTE}}}"), ""),
            (routing("{match: [{uri: {prefix: /a}}], redirect: {prefixRewrite: /}}"), "/a/x becomes //x"),
        ]
        self.check("VirtualService", cases, "warning")

    def test_cors_wildcards(self) -> None:
        """Browsers know a star for methods and for headers."""
        self.actions(("corsPolicy: {allowMethods: ['*'], allowHeaders: ['*'], exposeHeaders: ['*']}", ""))

    def test_expressions(self) -> None:
        """An expression that is none is told of, once, wherever it stands."""
        self.actions(("corsPolicy: {allowOrigins: [{regex: '('}]}", "allowOrigins[0].regex: not a regular expression"))

    def test_two_authorities(self) -> None:
        """The authority is set in one place."""
        twice = "the authority can be set once"
        self.actions(
            ("rewrite: {authority: a.example}, headers: {request: {set: {x-a: b}}}", ""),
            ("rewrite: {authority: a.example}, headers: {request: {set: {Host: b.example}}}", f"set.Host: {twice}"),
            ("rewrite: {authority: a.example}, headers: {request: {add: {':authority': b}}}", twice),
        )

    def test_empty_conditions(self) -> None:
        """Between two commas stands a condition; with none at all retries cannot be described."""
        self.actions(
            ("retries: {attempts: 1, retryOn: '5xx,,503'}", "has an empty condition"),
            ("retries: {retryOn: 5xx}", "attempts: missing, and so 0"),
            ("retries: {attempts: 0, retryRemoteLocalities: true}", "0 turns retries off"),
        )

    def test_what_says_nothing(self) -> None:
        """What can have no effect is warned of."""
        routed = [
            ("fault: {abort: {}}", "abort: it does nothing"),
            ("fault: {delay: {percentage: {value: 1}}}", "delay: it does nothing"),
            ("fault: {abort: {httpStatus: 500}}", "abort: it harms no request, as percentage is missing"),
            ("fault: {abort: {grpcStatus: UNAVAILABLE}}", "abort: it harms no request, as percentage is missing"),
            ("fault: {delay: {fixedDelay: 1s}}", "delay: it harms no request, as percentage is missing"),
            ("fault: {delay: {fixedDelay: 1s, percent: 0}}", "delay: it harms no request, as percentage is missing"),
            ("fault: {delay: {fixedDelay: 1s, percent: 10}}", ""),
            ("fault: {abort: {httpStatus: 500, percentage: {value: 0}}}", ""),
            ("mirrorPercentage: {value: 10}", "there is no mirror"),
        ]
        alone = [
            ("redirect: {uri: /a}, timeout: 1s", "timeout: says nothing here"),
            ("directResponse: {status: 200}, mirror: {host: b.example}", "mirror: says nothing here"),
            ("directResponse: {status: 200}, retries: {attempts: 1}", "retries: says nothing here"),
        ]
        cases = [(routing(f"{{route: {ROUTE}, {action}}}"), words) for action, words in routed]
        cases += [(routing(f"{{{action}}}"), words) for action, words in alone]
        self.check("VirtualService", cases, "warning")

    def test_prefix_rewrite(self) -> None:
        """Only a prefix that matched can be replaced in a redirect."""
        said = "prefixRewrite: goes with no match by uri.exact or uri.regex"
        cases = [
            (routing(f"{{match: [{match}], redirect: {{prefixRewrite: /b}}}}"), words)
            for match, words in (
                ("{uri: {prefix: /a}}", ""),
                ("{method: {exact: GET}}", ""),
                ("{uri: {exact: /a}}", said),
                ("{uri: {prefix: /a}}, {uri: {regex: /b.*}}", said),
            )
        ]
        self.check("VirtualService", cases)

    def test_headers(self) -> None:
        """Operations on headers of requests and answers."""
        self.actions(
            ("headers: {request: {set: {x-a: b, Host: c}}, response: {remove: [server]}}", ""),
            ("headers: {request: {set: {'a b': c}}}", "is no name of a header"),
            ('headers: {request: {add: {x-a: "b\\nc"}}}', "a character that no header can have"),
            ("headers: {response: {set: {host: a}}}", "can only be set, in requests"),
            ("headers: {request: {remove: [':authority']}}", "can only be set, in requests"),
            ("headers: {request: {set: {host: a, ':authority': b}}}", "the authority can be set once"),
            ("headers: {request: {set: {':path': a}}}", "use the field uri"),
        )

    def test_mirrors(self) -> None:
        """Copies go to services."""
        self.actions(
            ("mirror: {host: b.example}, mirrorPercentage: {value: 50}", ""),
            ("mirror: {host: b.example}, mirrors: [{destination: {host: c.example}}]", "goes with no mirror"),
            ("mirrors: [{destination: {host: c.example}, percentage: {value: -1}}]", "-1.0 is neither"),
            ("mirror: {host: b.example}, mirrorPercent: 101", "101 is not between"),
            ("mirror: {host: 'b*'}", "a wildcard stands in front"),
            ("mirror: {host: '*'}", "* is no service"),
        )
