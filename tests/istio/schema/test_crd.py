"""Tests of L{edgegate.istio.schema.crd}."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from click.testing import CliRunner
from jsonschema import Draft202012Validator
from twisted.trial.unittest import SynchronousTestCase

from edgegate.cli.schema import schema
from edgegate.config.manifest import read
from edgegate.config.problems import Problems
from edgegate.istio.kinds import EDGEGATE, KINDS, Kind
from edgegate.istio.schema.crd import definition_of, definitions_of, plural_of
from tests.istio.schema.verdicts import ROOT

YAML = re.compile(r"```yaml\n(apiVersion: .*?)```", re.DOTALL)
OWN = [kind for kind in KINDS if kind.group == EDGEGATE]
FORBIDDEN = {"$ref", "$defs", "patternProperties", "const", "if", "then", "else", "definitions", "dependencies"}
"""What a structural schema does not have."""
TYPES = {"array", "boolean", "integer", "number", "object", "string"}


def structural(schema: dict[str, Any], where: str = "") -> Iterator[str]:
    """Yield what is wrong with a structural schema (Kubernetes' "Specifying a structural schema")."""
    yield from (f"{where}: {word}" for word in FORBIDDEN & schema.keys())
    free = {"x-kubernetes-preserve-unknown-fields", "x-kubernetes-int-or-string"} & schema.keys()
    if not free and schema.get("type") not in TYPES:
        yield f"{where}: type {schema.get('type')}"
    if "properties" in schema and "additionalProperties" in schema:
        yield f"{where}: properties and additionalProperties"
    for word in ("allOf", "anyOf", "oneOf"):
        for each in schema.get(word, ()):
            if {"type", "description", "default", "additionalProperties", "nullable"} & each.keys():
                yield f"{where}: {word} with a type"
    for name, each in schema.get("properties", {}).items():
        yield from structural(each, f"{where}.{name}")
    for word in ("items", "additionalProperties"):
        if isinstance(schema.get(word), dict):
            yield from structural(schema[word], f"{where}[]")


def of_version(kind: Kind) -> dict[str, Any]:
    """Return the schema of a kind's one version."""
    (version,) = definition_of(kind)["spec"]["versions"]
    found = version["schema"]["openAPIV3Schema"]
    assert isinstance(found, dict)
    return found


class CRDTests(SynchronousTestCase):
    """What a cluster is told of edgegate's own kinds."""

    def test_structural(self) -> None:
        """Each schema is structural, and has every field of the kind, with words."""
        self.assertGreater(len(OWN), 3)
        for kind in OWN:
            found = of_version(kind)
            self.assertEqual(list(structural(found)), [], kind.name)
            spec = found["properties"]["spec"]
            self.assertEqual({*spec["properties"]}, {*kind.struct.__struct_encode_fields__})
            self.assertTrue(spec["description"], kind.name)

    def test_names(self) -> None:
        """Names are as Kubernetes has them."""
        found = definition_of(next(kind for kind in OWN if kind.name == "AddressListPolicy"))
        self.assertEqual(found["metadata"]["name"], "addresslistpolicies.edgegate.io")
        self.assertEqual(found["spec"]["names"]["plural"], "addresslistpolicies")
        self.assertEqual(found["spec"]["versions"][0]["name"], "v1alpha1")
        self.assertEqual(plural_of("route"), "routes")

    def test_documents(self) -> None:
        """It takes the documents of the tests and of the documentation, and none with a value of another type."""
        validators = {kind.name: Draft202012Validator(of_version(kind)) for kind in OWN}
        seen = set()
        for page in (ROOT / "docs" / "policies").glob("*.md"):
            for text in YAML.findall(page.read_text()):
                for document in read(page.name, text, Problems()):
                    if document.kind in validators:
                        seen.add(document.kind)
                        errors = [each.message for each in validators[document.kind].iter_errors(document.value)]
                        self.assertEqual(errors, [], f"{page.name}: {document.title}")
        self.assertIn("AddressListPolicy", seen)
        bad = {"spec": {"allow": {"addresses": "192.0.2.1"}}}
        self.assertFalse(validators["AddressListPolicy"].is_valid(bad))
        both = {"spec": {"limits": [{"requests": 1, "by": [{"header": "a", "cookie": "b"}]}]}}
        self.assertFalse(validators["ConcurrencyPolicy"].is_valid(both))

    def test_command(self) -> None:
        """The command prints one, or all; of other kinds it has none."""
        found = json.loads(CliRunner().invoke(schema, ["--crd", "AddressListPolicy"]).output)
        self.assertEqual(found["kind"], "CustomResourceDefinition")
        everything = json.loads(CliRunner().invoke(schema, ["--crd"]).output)
        self.assertEqual(everything, definitions_of(KINDS))
        self.assertEqual(len(everything["items"]), len(OWN))
        for arguments in (["--crd", "Gateway"], ["--crd", "--into", "."]):
            result = CliRunner().invoke(schema, arguments)
            self.assertEqual(result.exit_code, 2, result.output)
