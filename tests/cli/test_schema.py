"""Tests of L{edgegate.cli.schema}."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from edgegate.cli.schema import schema
from edgegate.istio.kinds import KINDS
from edgegate.istio.schema.documents import folder_schema, kind_schema


class SchemaTests(SynchronousTestCase):
    """What the command writes."""

    def test_all(self) -> None:
        """Without a kind it is the schema of every document."""
        result = CliRunner().invoke(schema)
        self.assertEqual((result.exit_code, json.loads(result.output)), (0, folder_schema()))

    def test_kind(self) -> None:
        """With one it is that kind's."""
        kind = next(each for each in KINDS if each.name == "VirtualService")
        self.assertEqual(json.loads(CliRunner().invoke(schema, [kind.name]).output), kind_schema(kind))

    def test_unknown(self) -> None:
        """A kind that is none is refused, with those that there are."""
        result = CliRunner().invoke(schema, ["Ingress"])
        self.assertEqual(result.exit_code, 2)
        self.assertIn("'Ingress' is not one of 'Gateway', 'VirtualService'", result.output)

    def test_into(self) -> None:
        """A folder gets them all, and is made."""
        folder = Path(self.mktemp()) / "schemas"
        result = CliRunner().invoke(schema, ["--into", str(folder)])
        names = ["edgegate", *(kind.name for kind in KINDS)]
        self.assertEqual(result.output, "".join(f"written {folder}/{name}.schema.json\n" for name in names))
        self.assertEqual(json.loads((folder / "edgegate.schema.json").read_text()), folder_schema())
        self.assertEqual(json.loads((folder / "Gateway.schema.json").read_text()), kind_schema(KINDS[0]))

    def test_into_nothing(self) -> None:
        """What can't be written is said, and one kind's schema alone goes to standard output."""
        folder = Path(self.mktemp())
        folder.touch()
        for arguments, status in ((["--into", f"{folder}/a"], 1), (["--into", ".", "Gateway"], 2)):
            result = CliRunner().invoke(schema, arguments)
            self.assertEqual(result.exit_code, status, result.output)
            self.assertIn("Error: ", result.output)
