"""
Golden pairs of the compiler: documents, and what comes of them.

C{tests/golden/NAME.in.yaml} goes with C{NAME.out.txt}, the Snapshot, and with
C{NAME.problems.txt}, everything that is reported; each may be absent where there
is none. A first line C{# --map-port 80:8080 --selector istio=edge} gives options.
With C{EDGEGATE_GOLDEN=write} the outcomes are written instead: read what changed
before it is committed.
"""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.manifest import read
from edgegate.config.problems import Problems, Role
from edgegate.istio.decode import decode
from edgegate.istio.translate import CompileOptions
from edgegate.sources.compilation import compile_resources
from tests.istio.translate.compiling import Collected
from tests.istio.translate.dumping import dump

GOLDEN = Path(__file__).parents[2] / "golden"
WRITE = os.environ.get("EDGEGATE_GOLDEN") == "write"


def read_pretended(name: str) -> bytes:
    """Be a folder that has every file but those that are called missing."""
    if "missing" in name:
        raise FileNotFoundError(2, "No such file or directory", name)
    return b"<" + name.encode() + b">"


def options_of(text: str, collected: Collected) -> CompileOptions:
    """Read the options of the first line; key material is collected."""
    words = text.partition("\n")[0].removeprefix("#").split() if text.startswith("# --") else []
    port_map: dict[int, int] = {}
    selector: dict[str, str] = {}
    for option, value in zip(words[::2], words[1::2], strict=True):
        if option == "--map-port":
            given, _, bound = value.partition(":")
            port_map[int(given)] = int(bound)
        else:
            key, _, label = value.partition("=")
            selector[key] = label
    return CompileOptions(selector or None, port_map, read_pretended, collected.servers, collected.upstream)


class GoldenTests(SynchronousTestCase):
    """A method is made for each pair."""

    maxDiff = None

    def check(self, name: str) -> None:
        """Compile a pair's documents and compare."""
        text = (GOLDEN / f"{name}.in.yaml").read_text()
        problems, collected = Problems(), Collected()
        resources = decode(read(f"{name}.in.yaml", text, problems), problems)
        compiled = compile_resources(resources, options_of(text, collected), problems)
        self.compare(
            GOLDEN / f"{name}.out.txt",
            "" if problems.errors else dump(compiled.snapshot, compiled.endpoints, collected.pairs),
        )
        self.compare(GOLDEN / f"{name}.problems.txt", "".join(f"{problem}\n" for problem in problems))
        # what a file as such can't be is given its code by the one who reads it
        bare = [str(problem) for problem in problems if not problem.code and problem.role is not Role.CAUSE]
        self.assertEqual(bare, [])

    def compare(self, path: Path, found: str) -> None:
        """Compare an outcome with its file; nothing is the same as no file."""
        if WRITE:
            if found:
                path.write_text(found)
            else:
                path.unlink(missing_ok=True)
        self.assertEqual(path.read_text() if path.exists() else "", found)

    def test_pairs(self) -> None:
        """No outcome is left of a pair that is gone."""
        stems = {path.name.split(".")[0] for path in GOLDEN.iterdir()}
        self.assertEqual(stems, {path.name.split(".")[0] for path in GOLDEN.glob("*.in.yaml")})


def _add(name: str) -> None:
    def test(self: GoldenTests) -> None:
        self.check(name)

    test.__doc__ = f"The documents of {name} come out as expected."
    setattr(GoldenTests, f"test_{name.replace('-', '_')}", test)


for _path in sorted(GOLDEN.glob("*.in.yaml")):
    _add(_path.name.split(".")[0])
