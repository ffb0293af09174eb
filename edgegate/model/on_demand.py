# Compiled: values that hot modules read.
"""Certificates on demand: of names that no file says, from the moment that a client asks for them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from edgegate.model.certificates import CertificateIssuer
from edgegate.model.hosts import covers
from edgegate.model.origin import Origin
from edgegate.model.picklable import Picklable

CERTIFICATES: Final = 20
PERIOD: Final = 3600.0
"""So many new certificates in so many seconds, unless the files say otherwise; Let's Encrypt issues 300 in 3 hours."""

MOST: Final = 1000
"""Hosts, unless the files say otherwise."""

_NAME: Final = re.compile(r"(?:[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?\.)+[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?")
_LONGEST: Final = 253


@dataclass(frozen=True, slots=True)
class OnDemand(Picklable):
    """
    For which names an issuer issues certificates when a client asks for them. Of C{ask} and C{allow} there is one at
    least; where there are both, both must agree.

    @ivar ask: The URL that says whether a name is to have one; empty: nobody is asked.
    @ivar allow: Patterns of names in normal form; empty: any name.
    @ivar certificates: How many new ones are issued in C{period} seconds at most.
    @ivar most: For how many hosts at most.
    """

    issuer: CertificateIssuer
    origin: Origin = field(compare=False)
    ask: str = ""
    allow: tuple[str, ...] = ()
    certificates: int = CERTIFICATES
    period: float = PERIOD
    most: int = MOST

    def allows(self, name: str) -> bool:
        """Whether a name may be asked about: it is one of the public DNS, and not outside what is allowed."""
        if not is_public(name):
            return False
        return not self.allow or any(covers(pattern, name) for pattern in self.allow)

    def question(self, name: str) -> str:
        """Return the URL by which it is asked about a name of the public DNS."""
        return f"{self.ask}{'&' if '?' in self.ask else '?'}domain={name}"


def is_public(name: str) -> bool:
    """Whether a name in normal form may be one of the public DNS: no address, no single label, no broken punycode."""
    if len(name) > _LONGEST or not _NAME.fullmatch(name):
        return False
    return "xn--" not in name or all(_is_label(label) for label in name.split("."))


def _is_label(label: str) -> bool:
    if not label.startswith("xn--"):
        return True
    try:
        return not label[4:].encode("ascii").decode("punycode").isascii()
    except UnicodeError:
        return False
