"""Tests of L{edgegate.istio.envoy.rate_limits}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.envoy.rate_limits import host_rules_included, local_limit, service_limit, service_of
from edgegate.model.guards.envoy_rate_limits import (
    Asks,
    LocalDescriptor,
    LocalLimit,
    ServiceLimit,
    TokenBucket,
)
from tests.istio.envoy.reading import message

FULL = "{default_value: {numerator: 100, denominator: HUNDRED}}"
BUCKET = "token_bucket: {max_tokens: 4, tokens_per_fill: 2, fill_interval: 60s}"


class LocalTests(SynchronousTestCase):
    """The local filter."""

    def read(self, text: str, on_route: bool = False) -> tuple[LocalLimit, list[str], list[str]]:
        """Return a limit, and what is told."""
        found, told = message(text)
        return local_limit(found, on_route), told.errors, told.warnings

    def test_all(self) -> None:
        """All fields are read."""
        limit, errors, warnings = self.read(
            f"{{stat_prefix: p, {BUCKET}, filter_enabled: {FULL}, filter_enforced: {FULL}, status: {{code: 503}},"
            " descriptors: [{entries: [{key: a, value: b}, {key: c}], token_bucket: "
            "{max_tokens: 1, fill_interval: 1s}}],"
            " always_consume_default_token_bucket: false, local_rate_limit_per_downstream_connection: true,"
            " enable_x_ratelimit_headers: DRAFT_VERSION_03, rate_limited_as_resource_exhausted: true, stage: 3,"
            " response_headers_to_add: [{append: false, header: {key: X-Local, value: 'true'}}],"
            " request_headers_to_add_when_not_enforced: [{header: {key: x-over, value: '1'}}],"
            " max_dynamic_descriptors: 5}"
        )
        self.assertEqual((errors, warnings), ([], []))
        self.assertEqual(
            limit,
            LocalLimit(
                "p",
                TokenBucket(4, 30.0),
                1.0,
                1.0,
                503,
                (LocalDescriptor((("a", "b"), ("c", "")), TokenBucket(1, 1.0)),),
                None,
                3,
                False,
                True,
                True,
                True,
                (("X-Local", "true"),),
                (("x-over", "1"),),
            ),
        )

    def test_defaults(self) -> None:
        """Without shares nothing is limited, as Envoy has it, which is told; a filter for routes alone needs none."""
        limit, errors, warnings = self.read(f"{{stat_prefix: p, {BUCKET}}}")
        self.assertEqual((limit.enabled, limit.enforced, limit.status, errors), (0.0, 0.0, 429, []))
        self.assertEqual(
            warnings,
            ["value.stat_prefix: it limits nothing: without filter_enabled and filter_enforced Envoy takes 0 % for it"],
        )
        self.assertEqual(self.read("{stat_prefix: p}"), (LocalLimit("p"), [], []))

    def test_mistakes(self) -> None:
        """Each mistake has its place."""
        for text, wanted in {
            "{}": "value: stat_prefix is needed",
            "{stat_prefix: p, token_bucket: {fill_interval: 1s}}": "token_bucket: max_tokens must be at least 1",
            "{stat_prefix: p, token_bucket: {max_tokens: 1, fill_interval: 0.01s}}": (
                "token_bucket.fill_interval: fill_interval must be at least 0.05s"
            ),
            "{stat_prefix: p, descriptors: [{entries: [{value: a}]}]}": "descriptors[0].entries[0]: key is needed",
            "{stat_prefix: p, descriptors: [{}]}": "descriptors[0]: a descriptor needs entries and a token_bucket",
            "{stat_prefix: p, enable_x_ratelimit_headers: DRAFT}": '"DRAFT" is none of OFF and DRAFT_VERSION_03',
            "{stat_prefix: p, status: {code: Teapot}}": 'status.code: "Teapot" is no status',
            "{stat_prefix: p, response_headers_to_add: [{header: {key: 'a b', value: c}}]}": "is no name of a header",
            '{stat_prefix: p, response_headers_to_add: [{header: {key: a, value: "b\\nc"}}]}': "has no line breaks",
            "{stat_prefix: p, response_headers_to_add: [{header: {key: a, value: '%X%'}}]}": "command operators",
            "{stat_prefix: p, response_headers_to_add: [{header: {key: Upgrade, value: '5'}}]}": "can't be added",
            "{stat_prefix: p, response_headers_to_add: [{}]}": "response_headers_to_add[0]: header is needed",
        }.items():
            _, errors, _ = self.read(text)
            self.assertTrue(any(wanted in each for each in errors), (text, errors))
        self.assertIn("token_bucket is needed on a route", self.read("{stat_prefix: p}", on_route=True)[1][0])

    def test_statuses(self) -> None:
        """Below 400 the default counts, which is told; a code may be written by its name."""
        self.assertEqual(self.read("{stat_prefix: p, status: {code: TooManyRequests}}")[0].status, 429)
        limit, errors, warnings = self.read("{stat_prefix: p, status: {code: 204}}")
        self.assertEqual((limit.status, errors), (429, []))
        self.assertEqual(warnings, ["value.status.code: below 400, for which Envoy takes 429"])


class ServiceTests(SynchronousTestCase):
    """The filter that asks."""

    service = "rate_limit_service: {grpc_service: {envoy_grpc: {cluster_name: c, authority: a.example}}}"

    def read(self, text: str) -> tuple[ServiceLimit, list[str]]:
        """Return a limit, and what is told."""
        found, told = message(text)
        return service_limit(found, "cluster"), [*told.errors, *told.warnings]

    def test_all(self) -> None:
        """All fields are read."""
        self.assertEqual(
            self.read(
                f"{{domain: d, {self.service}, timeout: 10s, failure_mode_deny: true, stage: 2, request_type: external,"
                " rate_limited_status: {code: 503}, status_on_error: {code: 502}, stat_prefix: p,"
                " enable_x_ratelimit_headers: DRAFT_VERSION_03, disable_x_envoy_ratelimited_header: true,"
                " rate_limited_as_resource_exhausted: true, response_headers_to_add: [{header: {key: a, value: b}}]}"
            ),
            (
                ServiceLimit(
                    "d",
                    "cluster",
                    "a.example",
                    10.0,
                    True,
                    2,
                    Asks.EXTERNAL,
                    503,
                    502,
                    True,
                    False,
                    True,
                    (("a", "b"),),
                ),
                [],
            ),
        )

    def test_defaults(self) -> None:
        """A service has 20 ms, and who can't be judged passes."""
        limit, told = self.read("{domain: d}")
        self.assertEqual(
            (limit.timeout, limit.deny, limit.status, limit.error_status, told), (0.02, False, 429, 500, [])
        )

    def test_mistakes(self) -> None:
        """Each mistake has its place."""
        for text, wanted in {
            "{}": "value: domain is needed",
            "{domain: d, request_type: some}": '"some" is none of internal, external and both',
            "{domain: d, unknown: 1}": 'nothing is known of the field "unknown" of RateLimit',
        }.items():
            _, told = self.read(text)
            self.assertTrue(any(wanted in each for each in told), (text, told))

    def test_service(self) -> None:
        """The service's cluster is named by its gRPC service."""
        found, told = message(f"{{{self.service}}}")
        service = service_of(found)
        assert service is not None
        self.assertEqual((service[1], told.errors), ("c", []))
        for text in ("{}", "{rate_limit_service: {grpc_service: {google_grpc: {target_uri: x}}}}"):
            found, told = message(text)
            self.assertIsNone(service_of(found))
            self.assertIn("envoy_grpc.cluster_name is needed", told.errors[0])

    def test_per_route(self) -> None:
        """A route may have the rules of its virtual host asked as well; a domain of its own it can't have."""
        for text, included, wrong in (
            ("{vh_rate_limits: INCLUDE}", True, []),
            ("{}", False, []),
            ("{vh_rate_limits: SOME}", False, ['value.vh_rate_limits: "SOME" is none of OVERRIDE, INCLUDE and IGNORE']),
            ("{domain: d}", False, ["value.domain: not honoured: a domain of a route's own"]),
        ):
            found, told = message(text)
            self.assertEqual((host_rules_included(found), told.errors), (included, wrong), text)
