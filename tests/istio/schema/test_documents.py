"""Tests for L{edgegate.istio.schema.documents}."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.honoured import fields
from edgegate.istio.kinds import KINDS
from edgegate.istio.kinds.meta import Object
from edgegate.istio.schema.documents import folder_schema, kind_schema
from tests.istio.schema.verdicts import documents, example, refused, told

FIXTURES = [*documents("etc/*.yaml", "tests/golden/*.in.yaml", "docs/examples/*.yaml")]

PUT = (None, True, 0, -1, 443, 1.5, "x", "1.5s", "-1s", "0s", "1d", "SIMPLE", [], [None], ["x"], {}, {"x": "y"})
"""What is put in place of a value."""


class FixtureTests(SynchronousTestCase):
    """What files have that there are."""

    def test_good_files(self) -> None:
        """Every document that the gateway finds nothing wrong with passes, and no other does."""
        good = 0
        for document in FIXTURES:
            errors = told(document.value)
            kind = next(each for each in KINDS if each.name == document.kind)
            for said in (refused(document.value), refused(document.value, kind)):
                self.assertEqual(bool(said), bool(errors), f"{document.title} in {document.file}: {said} {errors}")
            good += not errors
        self.assertGreater(good, 200)

    def test_broken(self) -> None:
        """A misspelt name, a wrong type, a word that is none, two of one choice: each is said, with its place."""
        for spec, said in (
            ({"hosst": ["a"]}, "$.spec: 'hosst' does not match"),
            ({"hosts": "a"}, "$.spec.hosts: 'a' is not of type 'array', 'null'"),
            ({"http": [{"timeout": "5"}]}, "$.spec.http[0].timeout: '5' does not match"),
            ({"http": [{"timeout": "0s"}]}, "$.spec.http[0].timeout: '0s' does not match"),
            ({"http": [{"match": [{"uri": {"exact": "/", "prefix": "/"}}]}]}, "$.spec.http[0].match[0].uri: "),
            ({"http": [{"route": [{"weight": 5}]}]}, "$.spec.http[0].route[0]: 'destination' is a required property"),
            ({"tls": [{"match": [{}]}]}, "$.spec.tls[0].match[0]: "),
            ({"export_to": ["."], "exportTo": ["."]}, "$.spec: "),
            ({"http": [{"redirect": {"redirectCode": -1}}]}, "$.spec.http[0].redirect.redirectCode: -1 is less than"),
            ({"http": [{"corsPolicy": {"unmatchedPreflights": "PASS"}}]}, "$.spec.http[0].corsPolicy.unmatchedPref"),
        ):
            errors = refused({**example("VirtualService"), "spec": spec})
            self.assertEqual(len(errors), 1, errors)
            self.assertIn(said, errors[0])

    def test_spellings(self) -> None:
        """A name may be spelt as protobuf does, one of a choice may be null beside another, and what is not needed."""
        for spec in (
            {"export_to": ["."], "http": [{"direct_response": {"status": 200}}]},
            {"tls": [{"match": [{"sni_hosts": ["a"]}]}]},
            {"http": [{"match": [{"uri": {"exact": None, "prefix": "/"}}], "timeout": None}], "hosts": None},
        ):
            self.assertEqual(refused({**example("VirtualService"), "spec": spec}), [])

    def test_numbers_and_names(self) -> None:
        """A port of a Service may be a number or a name."""
        for port, good in ((8080, True), ("http", True), (1.5, False), (None, True)):
            ports = [{"port": 80, "targetPort": port}]
            self.assertEqual(not refused({**example("Service"), "spec": {"ports": ports}}), good)

    def test_around(self) -> None:
        """What every document has is checked as well: its name, its labels, its version."""
        good = example("Gateway")
        for changes in (
            {"metadata": {}},
            {"metadata": None},
            {"metadata": {"name": ""}},
            {"metadata": {"name": "a", "labels": {"version": 1}}},
            {"metadata": {"name": "a", "naem": "b"}},
            {"metadata": {"name": "a", "creationTimestamp": "today"}},
            {"apiVersion": "networking.istio.io/v2"},
            {"apiVersion": "istio.io/v1"},
            {"kind": "Gatway"},
            {"kind": None},
            {"sepc": {}},
        ):
            self.assertTrue(told({**good, **changes}), changes)
            self.assertTrue(refused({**good, **changes}), changes)
        self.assertEqual(refused(good), [])

    def test_others(self) -> None:
        """Kinds that the gateway passes over are left alone, lists are looked into, and nothing is no mistake."""
        self.assertEqual(refused({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}}), [])
        self.assertEqual(refused({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "spec": 1}), [])
        self.assertEqual(refused({"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication", "spec": 1}), [])
        self.assertEqual(refused(None), [])
        items = [example("Gateway"), {**example("Gateway"), "spec": {"server": []}}]
        errors = refused({"apiVersion": "v1", "kind": "List", "items": items})
        self.assertEqual([error.partition(":")[0] for error in errors], ["$.items[1].spec"])


class SchemaTests(SynchronousTestCase):
    """The schemas themselves."""

    def test_sound(self) -> None:
        """They are schemas of the draft that they name, and refer to nothing that is not there."""
        Draft202012Validator.check_schema(folder_schema())  # which has all that those of the kinds have
        for schema in (folder_schema(), *map(kind_schema, KINDS)):
            self.assertEqual(schema["$schema"], Draft202012Validator.META_SCHEMA["$id"])
            for path in references(schema):
                place: Any = schema
                for step in path.removeprefix("#").split("/")[1:]:
                    place = place[step]

    def test_names(self) -> None:
        """Every field that the documentation lists is in the schema of its kind, with what is said of it there."""
        for kind in KINDS:
            schema = kind_schema(kind)
            root = schema["$defs"][kind.name]
            if not issubclass(kind.struct, Object):
                root = schema["$defs"][root["properties"]["spec"]["$ref"].rpartition("/")[2]]
            for field in fields(kind.struct):
                place = root
                for step in field.path.replace("[]", ".[]").split("."):
                    place = {**schema["$defs"].get(place.get("$ref", "").rpartition("/")[2], {}), **place}
                    if step == "[]":
                        place = place["items"]
                    else:
                        place = place["additionalProperties"] if step == "*" else place["properties"][step]
                if field.note is not None and field.note.message:
                    self.assertIn(field.note.message, place["description"], f"{kind.name} {field.path}")

    def test_described(self) -> None:
        """A kind and its messages say what they are, without markup."""
        schema = kind_schema(next(kind for kind in KINDS if kind.name == "VirtualService"))["$defs"]
        self.assertEqual(
            schema["VirtualService"]["description"], "Istio's VirtualService: where what has entered goes."
        )
        self.assertEqual(schema["virtual_service.HTTPRetry"]["description"], "When a request is tried again.")
        mode = kind_schema(KINDS[0])["$defs"]["gateway.ServerTLSSettings"]["properties"]["mode"]["description"]
        self.assertTrue(mode.startswith("How a server treats TLS.\n\nAUTO_PASSTHROUGH: not honoured"), mode)


class ChangedTests(SynchronousTestCase):
    """Documents with a mistake, made of good ones."""

    @settings(max_examples=80, deadline=None)
    @given(st.sampled_from(FIXTURES), st.data())
    def test_as_the_gateway(self, document: Any, data: st.DataObject) -> None:
        """Of a document in which anything was changed, the schema and the gateway say the same."""
        value = copy.deepcopy(document.value)
        holder, key = data.draw(st.sampled_from([*places(value)]))
        how = data.draw(st.sampled_from(("put", "drop", "misspell")))
        if how == "put":
            holder[key] = data.draw(st.sampled_from(PUT))
        elif how == "drop":
            del holder[key]
        elif isinstance(holder, dict):
            holder[data.draw(st.sampled_from((f"{key}x", "bogus")))] = holder.pop(key)
        self.assertEqual(bool(refused(value)), bool(told(value)), f"{value}\n{refused(value)}\n{told(value)}")


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every place in a value: what holds it, and its key there."""
    for key in [*value] if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


def references(schema: Any) -> Iterator[str]:
    """Yield what a schema refers to."""
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        schema = schema.values()
    if not isinstance(schema, str | int | float | None):
        for each in schema:
            yield from references(each)
