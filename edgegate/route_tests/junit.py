"""
What came of tests as JUnit's XML, which CI servers read.

A file is a testsuite and a case a testcase, with C{file} and C{line} as pytest writes them; a file that could not be
read is a testcase in error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from edgegate.route_tests.files import TestedFile
from edgegate.route_tests.report import miss_lines
from edgegate.route_tests.running import Result
from edgegate.route_tests.story import Story, no_story

_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(
    files: Iterable[TestedFile],
    results: Sequence[Result],
    properties: Iterable[tuple[str, str]] = (),
    story: Story = no_story,
) -> bytes:
    """
    Return the whole document.

    @param results: Of the cases of all files.
    @param properties: Names and values, for each testsuite.
    @param story: Tells why the request of a case that was missed went where it went.
    """
    root = Element("testsuites", name="edgegate test")
    by_file: dict[str, list[Result]] = {}
    for result in results:
        by_file.setdefault(result.case.file, []).append(result)
    named = tuple(properties)
    for file in files:
        _suite(root, file, by_file.get(file.name, []), named, story)
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    root.set("time", _seconds(sum(result.seconds for result in results)))
    indent(root)
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _suite(
    root: Element,
    file: TestedFile,
    results: Sequence[Result],
    properties: Sequence[tuple[str, str]],
    story: Story,
) -> None:
    suite = SubElement(root, "testsuite", name=_text(file.name))
    if properties:
        listed = SubElement(suite, "properties")
        for name, value in properties:
            SubElement(listed, "property", name=_text(name), value=_text(value))
    for result in results:
        _case(suite, result, story)
    if file.problems.errors:
        problems = [str(each) for each in file.problems]
        unread = SubElement(suite, "testcase", classname=_classname(file.name), name="reading the file", time="0")
        error = SubElement(unread, "error", message=_text(problems[0]))
        error.text = _text("\n".join(problems))
    suite.set("tests", str(len(suite.findall("testcase"))))
    suite.set("failures", str(sum(bool(each.misses) for each in results)))
    suite.set("errors", str(int(file.problems.errors > 0)))
    suite.set("time", _seconds(sum(each.seconds for each in results)))


def _case(suite: Element, result: Result, story: Story) -> None:
    case = result.case
    found = SubElement(
        suite,
        "testcase",
        classname=_classname(case.file),
        name=_text(case.name),
        file=_text(case.file),
        line=str(case.line),
        time=_seconds(result.seconds),
    )
    if result.misses:
        miss = result.misses[0]
        message = f"{miss.key}: wanted {miss.wanted}, there is {miss.there}"
        failure = SubElement(found, "failure", message=_text(message))
        failure.text = _text("\n".join(miss_lines(result, story)))


def _classname(file: str) -> str:
    """Return a file as a class with its packages: C{etc.tests.coolstore}."""
    path = PurePath(file)
    return _text(".".join([*(part for part in path.parent.parts if part not in ("/", ".", "..")), path.stem]))


def _seconds(time: float) -> str:
    return f"{time:.6f}"


def _text(text: str) -> str:
    """Return a text without what XML can't hold (XML 1.0 section 2.2)."""
    return _NO_XML.sub("\ufffd", text)
