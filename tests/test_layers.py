"""
What C{lint-imports} can't see of the rules between the rooms of the package: circles among single files, and who speaks
to the kernel.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).resolve().parents[1]

SPEAKS_TO_SOCKETS = (
    *("recv", "recv_into", "recvfrom", "recvfrom_into", "recvmsg", "recvmsg_into", "sendall", "sendto", "sendmsg"),
    *("sendfile", "setsockopt", "getsockopt", "getsockname", "getpeername", "setblocking", "settimeout", "connect_ex"),
    *("makefile", "ioctl"),
)
"""Methods that only sockets have."""

SPEAKS_TO_SOME = ("send", "accept", "bind", "listen", "connect", "shutdown", "detach", "fileno")
"""Methods of sockets that other objects have as well."""

CLIENTS = ("cli", "demo")
"""What asks a gateway or plays a backend is no part of one, and has sockets of its own."""

OF_OTHERS = ("edgegate/tls/acme/network.py: socket.shutdown",)
"""What ends the connection of another library, in a thread that serves nobody."""


def modules() -> dict[str, Path]:
    """Return the files of the package by their modules."""
    found = {}
    for path in sorted((ROOT / "edgegate").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = path
    return found


@cache
def syntax(path: Path) -> ast.Module:
    """Return what is in a file."""
    return ast.parse(path.read_text())


def imports() -> dict[str, set[str]]:
    """Return what each module imports of the package, wherever that stands in it, behind TYPE_CHECKING too."""
    known = modules()
    found: dict[str, set[str]] = {}
    for name, path in known.items():
        named = set()
        for node in ast.walk(syntax(path)):
            if isinstance(node, ast.Import):
                named |= {each.name for each in node.names}
            elif isinstance(node, ast.ImportFrom):
                full = {f"{node.module}.{each.name}" for each in node.names}
                named |= {each if each in known else str(node.module) for each in full}
        found[name] = (named & set(known)) - {name}
    return found


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Return modules of which each imports the next and the last the first, or none."""
    left = {name: set(named) for name, named in graph.items()}
    while ends := {name for name, named in left.items() if not named}:
        left = {name: named - ends for name, named in left.items() if name not in ends}
    if not left:
        return []
    way = [next(iter(left))]
    while (following := min(left[way[-1]])) not in way:
        way.append(following)
    return way[way.index(following) :]


def spoken_to(path: Path) -> Iterator[str]:
    """Yield where a module calls a method of a socket."""
    for node in ast.walk(syntax(path)):
        if isinstance(node, ast.Attribute) and node.attr in (*SPEAKS_TO_SOCKETS, *SPEAKS_TO_SOME):
            owner = ast.unparse(node.value).rpartition(".")[2].lower()
            if node.attr in SPEAKS_TO_SOCKETS or "sock" in owner:
                yield f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}"


class LayersTests(SynchronousTestCase):
    """All files of the package."""

    def test_no_circles(self) -> None:
        """No file imports itself by way of others."""
        self.assertEqual(circle(imports()), [], "these import each other in a circle")

    def test_circle(self) -> None:
        """A circle is found, whatever leads to it or away from it."""
        self.assertEqual(circle({"a": {"b"}, "b": {"c"}, "c": set()}), [])
        self.assertEqual(circle({"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}), ["b", "c"])

    def test_only_net_speaks_to_sockets(self) -> None:
        """Above C{net} a socket is owned, handed on and closed, and nothing else: not by an attribute either."""
        package = ROOT / "edgegate"
        found = [
            place
            for path in modules().values()
            if path.relative_to(package).parts[0] not in ("net", *CLIENTS)
            for place in spoken_to(path)
        ]
        self.assertEqual([each for each in found if re.sub(r":\d+:", ":", each) not in OF_OTHERS], [])
