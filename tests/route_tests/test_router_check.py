"""Tests of L{edgegate.route_tests.router_check}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.route_tests.check import Miss
from edgegate.route_tests.running import run
from tests.route_tests.shop import cases, endpoints, snapshot


class RouterCheckTests(SynchronousTestCase):
    """Files of Envoy's tool, on the shop."""

    def misses(self, asked: str, validate: str) -> list[Miss]:
        """Return how a request differs from what is expected."""
        given = f"authority: shop.example, method: GET, {asked}"
        found, problems = cases(f"tests:\n- {{test_name: a, input: {{{given}}}, validate: {{{validate}}}}}\n")
        self.assertEqual(problems, [])
        return [miss for each in run(found, snapshot(), endpoints()) for miss in each.misses]

    def test_file(self) -> None:
        """A file is told by C{test_name}; JSON is YAML, and both of protobuf's spellings are read."""
        found, problems = cases("""\
            tests:
            - test_name: the basket
              input: {authority: shop.example, path: /basket, method: GET}
              validate: {cluster_name: "outbound|8080|v2|cart.default.svc.cluster.local"}
            - test_name: nothing
              input: {authority: nobody.example, path: /, method: GET}
              validate: {cluster_name: ""}
            ---
            {"tests": [{"testName": "b", "input": {"authority": "shop.example", "path": "/"},
              "validate": {"pathRewrite": ""}}]}
            """)
        self.assertEqual(problems, [])
        self.assertEqual([(each.name, each.line) for each in found], [("the basket", 2), ("nothing", 5), ("b", 9)])
        self.assertEqual([each.misses for each in run(found, snapshot(), endpoints())], [()] * 3)

    def test_empty_header(self) -> None:
        """An empty value stands for a header that is not there, or is empty."""
        for nothing in ("request_header_fields: [{key: %s}]", "request_header_matches: [{name: %s, exact_match: ''}]"):
            self.assertEqual(self.misses("path: /api/a", nothing % "x-no"), [])
            self.assertEqual([each.there for each in self.misses("path: /api/a", nothing % "x-env")], ["beta"])
        inverted = "request_header_matches: [{name: x-no, exact_match: '', invert_match: true}]"
        self.assertEqual([each.there for each in self.misses("path: /api/a", inverted)], ["not there"])

    def test_weights(self) -> None:
        """C{random_value} draws one of the clusters, as Envoy does."""
        beta = "path: /beta, additional_request_headers: [{key: x-user, value: qa}]"
        for draw, subset in ((0, "v1"), (89, "v1"), (90, "v2"), (99, "v2"), (100, "v1")):
            wanted = f'cluster_name: "outbound|8080|{subset}|cart"'
            self.assertEqual(self.misses(f"{beta}, random_value: {draw}", wanted), [], draw)
        (miss,) = self.misses(beta, 'cluster_name: "outbound|8080|v2|cart"')
        self.assertEqual(miss, Miss("cluster_name", "outbound|8080|v2|cart", "cart.default:8080/v1"))

    def test_aborted(self) -> None:
        """A fault is none of the tool's: the cluster is the route's."""
        self.assertEqual(self.misses("path: /broken", 'cluster_name: "outbound|8080||cart"'), [])

    def test_fields(self) -> None:
        """All that it compares is compared."""
        for asked, validate in (
            ("path: /api/a?b", "host_rewrite: api.internal, path_rewrite: /v2/a?b"),
            ("path: /api/a", 'virtual_host_name: "shop.example:80", virtual_cluster_name: ""'),
            ("path: /old, ssl: true", "path_redirect: https://shop.example/new, code_redirect: 308"),
            ("path: /api/a", "request_header_matches: [{name: x-env, string_match: {exact: beta}}]"),
            ("path: /api/a", "request_header_matches: [{name: x-env, string_match: {prefix: BE, ignore_case: true}}]"),
            ("path: /api/a", "request_header_matches: [{name: x-env, string_match: {safe_regex: {regex: 'b.*a'}}}]"),
            ("path: /api/a", "request_header_matches: [{name: x-env, suffix_match: ta, invert_match: false}]"),
            ("path: /api/a", 'request_header_matches: [{name: ":path", contains_match: v2}]'),
            ("path: /api/a", "request_header_matches: [{name: x-no, present_match: false}]"),
            ("path: /api/a", "request_header_matches: [{name: x-no, exact_match: a, invert_match: true}]"),
            ("path: /api/a", "response_header_matches: [{name: x-served-by, present_match: true}]"),
            ("path: /api/a", "response_header_fields: [{key: x-served-by, value: shop}]"),
            ("path: /ping", 'response_header_matches: [{name: ":status", string_match: {exact: "418"}}]'),
            ("path: /api/a, internal: true", "request_header_fields: [{key: x-env, value: beta}]"),
        ):
            self.assertEqual(self.misses(asked, validate), [], validate)
            if "x-no" not in validate:
                self.assertNotEqual(self.misses("path: /none", validate), [], validate)

    def test_misses(self) -> None:
        """What is otherwise is told by its key."""
        matches = "request_header_matches: [{name: x-env, exact_match: live}, {name: x-no, present_match: true}]"
        self.assertEqual(
            self.misses(
                "path: /api/a", f"path_rewrite: /, host_rewrite: '', path_redirect: /b, code_redirect: 301, {matches}"
            ),
            [
                Miss("host_rewrite", "none", "api.internal"),
                Miss("path_rewrite", "/", "/v2/a"),
                Miss("path_redirect", "/b", "no redirect: by route api (in.yaml:33)"),
                Miss("code_redirect", "301", "no redirect: by route api (in.yaml:33)"),
                Miss("request_header_matches.x-env", "exact 'live'", "beta"),
                Miss("request_header_matches.x-no", "present", "not there"),
            ],
        )

    def test_bad(self) -> None:
        """What can't be asked or expected is told with its line."""
        asked = "input: {authority: a.example, path: /a, method: GET"
        for text, told in (
            (f"{asked}, runtime: x}}, validate: {{cluster_name: a}}", "tests[0].input.runtime: edgegate has none"),
            (
                f"{asked}, dynamic_metadata: [{{}}]}}, validate: {{cluster_name: a}}",
                "tests[0].input.dynamic_metadata: ",
            ),
            (
                f"{asked}, additional_response_headers: [{{key: a, value: b}}]}}, validate: {{cluster_name: a}}",
                "tests[0].input.additional_response_headers: a backend's",
            ),
            (f"{asked}}}, validate: {{}}", "tests[0].validate: nothing is expected"),
            (f"{asked}}}, validate: {{cluster_name: a b}}", "tests[0].validate: a destination is"),
            (f"{asked.replace('/a', 'a')}}}, validate: {{cluster_name: a}}", "tests[0].input: a path begins with"),
            (f"{asked}}}, validate: {{cluster: a}}", "tests[0].validate.cluster: unknown field; did you mean"),
        ):
            found, problems = cases(f"tests:\n- {{test_name: a, {text}}}\n")
            self.assertEqual(found, [])
            self.assertIn(told, problems[0])
        test = f"{{test_name: a, {asked}}}, validate: {{cluster_name: a}}}}"
        found, problems = cases(f"tests: [{test}]\nruntime: {{a: 1}}\n")
        self.assertEqual(found, [])
        self.assertIn("runtime: edgegate has none of it", problems[0])
