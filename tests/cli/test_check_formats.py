"""Tests of L{edgegate.cli.check_formats}; the command's own are those of L{edgegate.cli.check}."""

from __future__ import annotations

import json
import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.cli.check_formats import as_github, as_json, as_sarif, file_of
from edgegate.config.problems import Problem, Problems, Severity


def problems(*found: Problem) -> Problems:
    """Collect problems."""
    collected = Problems()
    collected.add_all(found)
    return collected


def problem(file: str = "a.yaml", message: str = "wrong", code: str = "EG004") -> Problem:
    """Make one."""
    return Problem(file, 3, 7, Severity.WARNING, "spec.hosts[0]", message, code=code)


class FormatTests(SynchronousTestCase):
    """Odd names and messages."""

    def test_github(self) -> None:
        """What would end a command, or begin another one, is escaped: one line stays one command."""
        said = as_github(problems(problem("a,b:c%.yaml", "one\n::error::two %0A")), "-")
        self.assertEqual(said.count("\n"), 1)
        self.assertIn("file=a%2Cb%3Ac%25.yaml,line=3,col=7,", said)
        self.assertTrue(said.endswith("::spec.hosts[0]: one%0A::error::two %250A\n"), said)

    def test_sarif_names(self) -> None:
        """A file's name is a reference of RFC 3986."""
        (run,) = json.loads(as_sarif(problems(problem("a b%20ü.yaml")), "-"))["runs"]
        place = run["results"][0]["locations"][0]["physicalLocation"]
        self.assertEqual(place["artifactLocation"]["uri"], "a%20b%2520%C3%BC.yaml")

    def test_sarif_rules(self) -> None:
        """A result names its rule by where that stands; one without a code has none."""
        found = problem(code=""), problem("b.yaml", code="EG204"), problem("c.yaml")
        (run,) = json.loads(as_sarif(problems(*found), "-"))["runs"]
        rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        self.assertEqual(rules, ["EG004", "EG204"])
        for result in run["results"]:
            index = result["ruleIndex"]
            self.assertEqual(rules[index] if index >= 0 else "", result["ruleId"])

    def test_folder(self) -> None:
        """What is about a folder has no file."""
        folder = self.mktemp()
        Path(folder).mkdir()
        found = problems(Problem(folder, 1, 1, Severity.INFO, "", "no port", code="EG011"))
        self.assertEqual(json.loads(as_json(found, folder))[0]["file"], "")
        self.assertEqual(as_github(found, folder), "::notice title=EG011 NoPortOpened::no port\n")
        (run,) = json.loads(as_sarif(found, folder))["runs"]
        self.assertEqual(run["results"][0]["locations"], [])
        (there,) = json.loads(as_json(problems(problem("a.yaml")), folder))
        self.assertEqual(there["file"], f"{folder}/a.yaml")

    def test_names_that_are_no_text(self) -> None:
        """A name of other bytes than UTF-8 is a reference to these in SARIF, and escaped elsewhere."""
        odd = os.fsdecode(b"caf\xe9.yaml")
        found = problems(problem(odd, f"{odd} is wrong"))
        (run,) = json.loads(as_sarif(found, "-"))["runs"]
        place = run["results"][0]["locations"][0]["physicalLocation"]
        self.assertEqual(place["artifactLocation"]["uri"], "caf%E9.yaml")
        (told,) = json.loads(as_json(found, "-"))
        self.assertEqual((told["file"], told["message"]), ("caf\\udce9.yaml", "caf\\udce9.yaml is wrong"))
        for said in (as_json(found, "-"), as_sarif(found, "-"), as_github(found, "-")):
            self.assertTrue(said.encode())

    def test_json(self) -> None:
        """What has no code has no name."""
        (found,) = json.loads(as_json(problems(problem(code="")), "-"))
        self.assertEqual((found["code"], found["name"], found["column"]), ("", "", 7))

    def test_file(self) -> None:
        """A file is told as one from the current folder sees it."""
        folder = self.mktemp()
        self.assertEqual(file_of(problem(), "-"), "a.yaml")
        self.assertEqual(file_of(problem(), folder), folder)
        self.assertEqual(file_of(problem("../b.yaml"), "."), "../b.yaml")
