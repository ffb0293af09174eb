"""Tests of L{edgegate.istio.envoy.descriptors}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.envoy.descriptors import MOST_RULES, descriptor_rules
from edgegate.model.guards.envoy_rate_limits import Action, ActionKind, DescriptorRule, FieldMatch, TextKind
from tests.istio.envoy.reading import message


class DescriptorTests(SynchronousTestCase):
    """Rules of descriptors."""

    def read(self, text: str) -> tuple[tuple[DescriptorRule, ...], list[str]]:
        """Return rules with one action each, and what is told."""
        found, told = message(text)
        rules = descriptor_rules(found)
        assert rules is not None
        return rules, [*told.errors, *told.warnings]

    def action(self, text: str) -> tuple[Action, list[str]]:
        """Return one action."""
        rules, told = self.read(f"{{rate_limits: [{{actions: [{text}]}}]}}")
        return rules[0].actions[0], told

    def test_none(self) -> None:
        """A field that is not there is no empty list."""
        self.assertIsNone(descriptor_rules(message("{}")[0]))
        self.assertEqual(descriptor_rules(message("{rate_limits: []}")[0]), ())

    def test_actions(self) -> None:
        """Each action is read."""
        for text, wanted in {
            "{generic_key: {descriptor_value: a}}": Action(ActionKind.GENERIC_KEY, "generic_key", "a"),
            "{request_headers: {header_name: ':path', descriptor_key: PATH}}": Action(
                ActionKind.REQUEST_HEADER, "PATH", name=":path"
            ),
            "{requestHeaders: {headerName: x, descriptorKey: k, skipIfAbsent: true}}": Action(
                ActionKind.REQUEST_HEADER, "k", name="x", skip=True
            ),
            "{remote_address: {}}": Action(ActionKind.REMOTE_ADDRESS, "remote_address"),
            "{masked_remote_address: {v4_prefix_mask_len: 24}}": Action(
                ActionKind.MASKED_REMOTE_ADDRESS, "masked_remote_address", prefixes=(24, 128)
            ),
            "{destination_cluster: {}}": Action(ActionKind.DESTINATION_CLUSTER, "destination_cluster"),
            "{source_cluster: {}}": Action(ActionKind.SOURCE_CLUSTER, "source_cluster"),
            "{query_parameters: {query_parameter_name: q, descriptor_key: k}}": Action(
                ActionKind.QUERY_PARAMETER, "k", name="q"
            ),
            "{query_parameter_value_match: {descriptor_value: v, query_parameters: [{name: q}]}}": Action(
                ActionKind.QUERY_MATCH, "query_match", "v", matches=(FieldMatch("q", TextKind.PRESENT),)
            ),
            "{metadata: {descriptor_key: k, default_value: d, metadata_key: {key: ns, path: [{key: a}, {key: b}]}}}": (
                Action(ActionKind.METADATA, "k", "d", namespace="ns", path=("a", "b"))
            ),
        }.items():
            self.assertEqual(self.action(text), (wanted, []), text)

    def test_header_matches(self) -> None:
        """Conditions are read in the old way and in the new one."""
        for text, wanted in {
            "{name: x}": FieldMatch("x", TextKind.PRESENT),
            "{name: x, present_match: false}": FieldMatch("x", TextKind.PRESENT, invert=True),
            "{name: x, present_match: false, invert_match: true}": FieldMatch("x", TextKind.PRESENT),
            "{name: x, exact_match: a, invert_match: true}": FieldMatch("x", TextKind.EXACT, "a", invert=True),
            "{name: x, suffix_match: a}": FieldMatch("x", TextKind.SUFFIX, "a"),
            "{name: x, safe_regex_match: {google_re2: {}, regex: a.*}}": FieldMatch("x", TextKind.REGEX, "a.*"),
            "{name: x, range_match: {start: 1, end: '5'}}": FieldMatch("x", TextKind.RANGE, bounds=(1, 5)),
            "{name: x, string_match: {prefix: A, ignore_case: true}, treat_missing_header_as_empty: true}": FieldMatch(
                "x", TextKind.PREFIX, "A", ignore_case=True, missing_is_empty=True
            ),
            "{name: x, string_match: {safe_regex: {regex: a}}}": FieldMatch("x", TextKind.REGEX, "a"),
        }.items():
            action = f"{{header_value_match: {{descriptor_value: v, expect_match: false, headers: [{text}]}}}}"
            found = Action(ActionKind.HEADERS_MATCH, "header_match", "v", matches=(wanted,), expected=False)
            self.assertEqual(self.action(action), (found, []), text)

    def test_mistakes(self) -> None:
        """Each mistake has its place; a rule that is not understood is left out, as the folder is not served."""
        for text, wanted in {
            "{}": "rate_limits[0]: a rate limit needs at least one action",
            "{actions: [{}]}": "rate_limits[0].actions[0]: expected one of generic_key, ",
            "{actions: [{generic_key: {descriptor_value: a}, remote_address: {}}]}": (
                "rate_limits[0].actions[0].remote_address: expected one of "
            ),
            "{actions: [{extension: {}}]}": "rate_limits[0].actions[0]: expected one of ",
            "{actions: [{request_headers: {header_name: имя, descriptor_key: k}}]}": "is no name of a header",
            "{actions: [{header_value_match: {descriptor_value: a, headers: [{name: 'a b'}]}}]}": "is no name of a",
            "{actions: [{generic_key: {}}]}": "actions[0].generic_key: descriptor_value is needed",
            "{stage: 11, actions: [{remote_address: {}}]}": "rate_limits[0].stage: must be 0 to 10, got 11",
            "{limit: {}, actions: [{remote_address: {}}]}": 'nothing is known of the field "limit" of a rate limit',
            "{actions: [{header_value_match: {descriptor_value: a}}]}": "header_value_match: headers is needed",
            "{actions: [{header_value_match: {headers: [{name: x, safe_regex_match: {regex: '('}}]}}]}": (
                "safe_regex_match.regex: "
            ),
            "{actions: [{header_value_match: {descriptor_value: a, headers: [{name: x, string_match: {}}]}}]}": (
                "string_match: expected one of exact, prefix, suffix, contains and safe_regex"
            ),
            "{actions: [{metadata: {descriptor_key: k, source: ROUTE_ENTRY, metadata_key: {key: a}}}]}": (
                "metadata.source: not honoured"
            ),
        }.items():
            _, told = self.read(f"{{rate_limits: [{text}]}}")
            self.assertTrue(any(wanted in each for each in told), (text, told))

    def test_many(self) -> None:
        """There is a bound."""
        rules, told = self.read(
            "{rate_limits: [" + ", ".join(["{actions: [{remote_address: {}}]}"] * (MOST_RULES + 1)) + "]}"
        )
        self.assertEqual((len(rules), told), (MOST_RULES, ["value.rate_limits: more than 256 of them"]))
