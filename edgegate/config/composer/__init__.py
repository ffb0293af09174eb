"""
From YAML to values, each with its place: the one way in.

The parser is libyaml, through PyYAML. Its nodes are enough for documents without anything special in them
(L{edgegate.config.composer.nodes}), and cost half of the time that a step of Python for each of its events takes:
reading 10,000 documents of 20 lines takes 2.4 seconds and 4.1. Nodes do not tell of where an alias or a tag stands, so
all else is composed from events (L{edgegate.config.composer.events}), which report what is wrong with exact places.
Nobody but this module knows of the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from edgegate.config.composer.events import Composer
from edgegate.config.composer.node import Root, Unreadable
from edgegate.config.composer.nodes import NotPlain, plain
from edgegate.config.problems import Problems

__all__ = ["Root", "Unreadable", "compose"]


def compose(file: str, text: str | bytes, first_line: int, problems: Problems) -> Iterator[Root]:
    """
    Yield the roots of all documents of a text, one by one. Whatever is wrong is reported, with its line and column.

    @param file: What problems call it.
    @param text: Only of characters that YAML allows; bytes are UTF-8.
    @param first_line: The number of its first line in the file, from 0.
    @raise Unreadable: Something is wrong that hides what follows it. It was reported.
    """
    done = 0
    try:
        for root in plain(text, first_line):
            done += 1
            yield root
    except NotPlain:
        for node in islice(Composer(file, first_line, problems).compose(text), done, None):
            yield Root(node.value, node.line, node.column, node.places)
