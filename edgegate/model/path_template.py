"""
Templates of paths: C{/users/{*}/keys}, C{/static/{**}} (Istio's C{AuthorizationPolicy}, Envoy's C{uri_template}).

C{{*}} stands for one segment, C{{**}} for the rest or for any part of it, slashes included.
"""

from __future__ import annotations

import re
from typing import Final

ONE: Final = "{*}"
ANY: Final = "{**}"

_CLASS: Final = rb"A-Za-z0-9\-._~%!$&'()*+,;:@="
"""What an operator stands for in Envoy (C{uri_template_internal.cc}, as of 1.40)."""


def is_template(path: str) -> bool:
    """Whether a path has an operator."""
    return ONE in path or ANY in path


def template_fault(path: str) -> str:
    """Return what keeps a path with operators from being a template; empty: nothing does."""
    if not path.startswith("/"):
        return "a template begins with /"
    rest = False
    for segment in path.split("/"):
        if segment in (ONE, ANY):
            if rest:
                return f"nothing but text can follow {ANY}"
            rest = segment == ANY
        elif ONE in segment or ANY in segment:
            return f"{ONE} and {ANY} are whole segments, with nothing beside them"
        elif "{" in segment or "}" in segment:
            return f"braces stand for {ONE} and {ANY} alone"
        elif "*" in segment:
            return f"* is no wildcard beside {ONE} and {ANY}"
    return ""


def template_pattern(path: str, lenient: bool) -> re.Pattern[bytes]:
    """
    Return the expression that matches whole paths. It goes back over a path once at most.

    @param path: Has no L{template_fault}.
    @param lenient: Whether operators stand for any characters: else one that Envoy does not know, such as C{|}, takes
        a path out of a template.
    """
    one = rb"[^/]+" if lenient else rb"[%b]+" % _CLASS
    rest = rb"(?s:.*)" if lenient else rb"[%b/]*" % _CLASS
    parts = {ONE: one, ANY: rest}
    return re.compile(b"/".join(parts.get(each) or re.escape(each.encode()) for each in path.split("/")))
