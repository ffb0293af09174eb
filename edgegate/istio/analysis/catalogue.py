"""What each code means, with an example and its mend: read from C{codes.yaml}, which lies beside this module."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources

import msgspec
from msgspec import Struct

from edgegate.config.composer import compose
from edgegate.config.problems import Problems


class Explanation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    What a code means.

    @ivar name: Istio's, or one of ours: C{ReferencedResourceNotFound}.
    @ivar level: C{error}, C{warning} or C{info}: Istio's for its codes. Here only what keeps files from being served is
        an error.
    @ivar says: What is wrong, and what follows from it.
    @ivar mend: What to do.
    @ivar example: Documents of which it is told; empty where it is about something else.
    @ivar instead: Texts of the example, each with another with which it is not told.
    @ivar options: Those of the command with which it is told.
    @ivar without_example: Why there is none.
    """

    name: str
    level: str
    says: str
    mend: str
    example: str = ""
    instead: tuple[tuple[str, str], ...] = ()
    options: tuple[str, ...] = ()
    without_example: str = ""

    @property
    def mended(self) -> str:
        """The example without what is wrong; empty where nothing in it has to change."""
        text = self.example
        for old, new in self.instead:
            text = text.replace(old, new)
        return text if self.instead else ""


class Catalogue(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    All codes.

    @ivar beside: The Gateway that is beside every example without one.
    """

    beside: str
    codes: dict[str, Explanation]

    def documents(self, text: str) -> str:
        """Return the documents of an example, with the Gateway that is beside it."""
        return text if "kind: Gateway\n" in text else f"{self.beside}---\n{text}"


@cache
def catalogue() -> Catalogue:
    """Return all codes."""
    text = resources.files(__package__).joinpath("codes.yaml").read_bytes()
    (root,) = compose("codes.yaml", text, 0, Problems())
    return msgspec.convert(root.value, Catalogue)


def explanations() -> Mapping[str, Explanation]:
    """Return what each code means."""
    return catalogue().codes
