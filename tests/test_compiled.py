"""
What mypyc is given, and the rules that keep it fast (see "Compiled modules" in CONTRIBUTING.md).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.version import HOT

ROOT = Path(__file__).resolve().parents[1]

MARKED = re.compile(r"# (Hot path|Hot path, not compiled|Compiled): .+\.")
"""How a module may begin that does not begin with its docstring."""

SLOW_DECORATORS = ("implementer", "provider")
"""Those that make a class of a compiled module a plain one; those of dataclasses and enumerations do not matter."""

WORDS_OF_C = re.compile(
    r"self\.(_(?:alignof|asm|attribute|complex|const|extension|imag|inline|label|real|restrict|signed|thread|typeof"
    r"|volatile))\b"
)


def marked() -> Iterator[tuple[Path, str]]:
    """Yield the modules that begin with a remark, and the remark."""
    for path in sorted((ROOT / "edgegate").rglob("*.py")):
        first = path.read_text().partition("\n")[0]
        if first.startswith("#"):
            yield path, first


def compiled() -> list[Path]:
    """Return the modules that C{setup.py} has compiled."""
    return [path for path, remark in marked() if not remark.startswith("# Hot path, not compiled")]


def native(path: Path, name: str) -> bool:
    """Whether mypyc makes a class of C of a class: not of a protocol, nor of an enumeration."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return not {"Protocol", "Enum", "IntEnum"} & {ast.unparse(base).partition("[")[0] for base in node.bases}
    return False


def asked_again(function: ast.FunctionDef) -> Iterator[str]:
    """Yield the attributes of its own object that a method sets, and further down asks whether they are C{None}."""
    first_set: dict[str, int] = {}
    nodes = sorted((node for node in ast.walk(function) if hasattr(node, "lineno")), key=lambda node: node.lineno)
    for node in nodes:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                for each in target.elts if isinstance(target, ast.Tuple) else [target]:
                    if ast.unparse(each).startswith("self."):
                        first_set.setdefault(ast.unparse(each), node.lineno)
        elif isinstance(node, ast.Compare) and isinstance(node.left, ast.Attribute):
            name = ast.unparse(node.left)
            if ast.unparse(node.comparators[0]) == "None" and first_set.get(name, node.lineno) < node.lineno:
                yield f"{name} in line {node.lineno}"


class CompiledTests(SynchronousTestCase):
    """All modules."""

    def test_remarks(self) -> None:
        """A module that does not begin with its docstring says why it is compiled, or why it is not."""
        self.assertEqual([str(path) for path, remark in marked() if not MARKED.fullmatch(remark)], [])

    def test_same_words(self) -> None:
        """The remarks are those that C{setup.py} looks for."""
        self.assertIn('COMPILED = ("# Hot path: ", "# Compiled: ")\n', (ROOT / "setup.py").read_text())

    def test_version(self) -> None:
        """What tells whether the package is compiled looks at a module that is."""
        self.assertIn(ROOT / f"{HOT.replace('.', '/')}.py", compiled())

    def test_decorators(self) -> None:
        """Classes of compiled modules say behind their end what they implement: decorated they would be plain ones."""
        found = [
            f"{path}: {node.name}"
            for path in compiled()
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.ClassDef)
            for decorator in node.decorator_list
            if ast.unparse(decorator).partition("(")[0] in SLOW_DECORATORS
        ]
        self.assertEqual(found, [], "call classImplements behind the class")

    def test_bases(self) -> None:
        """No class of another module is made from one of a compiled module: it can't be, once that is compiled."""
        known = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in compiled()}
        found = []
        for path in sorted(set((ROOT / "edgegate").rglob("*.py")) - set(known.values())):
            tree = ast.parse(path.read_text())
            imported = {
                alias.asname or alias.name: (node.module, alias.name)
                for node in ast.walk(tree)
                if isinstance(node, ast.ImportFrom) and node.module in known
                for alias in node.names
            }
            for node in ast.walk(tree):
                for base in node.bases if isinstance(node, ast.ClassDef) else ():
                    module, name = imported.get(ast.unparse(base), (None, ""))
                    if module is not None and native(known[module], name):
                        found.append(f"{path}: {ast.unparse(base)}")
        self.assertEqual(found, [], "compile it as well")

    def test_what_was_set(self) -> None:
        """
        No method sets an attribute of its object and later asks whether it is C{None}.

        mypyc takes it for what was set, whatever was called in between, and
        raises C{TypeError} where it is not: another method has to ask.
        """
        found = [
            f"{path}: {each}"
            for path in compiled()
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.FunctionDef)
            for each in asked_again(node)
        ]
        self.assertEqual(found, [])

    def test_words_of_c(self) -> None:
        """
        No attribute has a name that is a word of C's compiler.

        mypyc writes C{self._attribute} as C{__attribute}, which GCC reads otherwise: then nothing is compiled at all.
        """
        found = [f"{path}: {word}" for path in compiled() for word in WORDS_OF_C.findall(path.read_text())]
        self.assertEqual(found, [])
