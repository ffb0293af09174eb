"""
All metadata stands in setup.cfg. What is said here is that modules are compiled, by mypyc, when a wheel is built: those
that ask for it by their first line.

They run uncompiled as well, only slower: whatever is missing or goes wrong, the package is built all the same, without
a single compiled module, and one line on standard error says so.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

COMPILED = ("# Hot path: ", "# Compiled: ")
"""
How a module begins that is compiled: every request, connection or byte passes it, or what does calls it, reads its
values or is made from its classes. "# Hot path, not compiled: " says why a module that is hot is not.
"""

GROUP = "edgegate"
"""mypyc puts the code of all modules into one library, C{edgegate__mypyc}; what it makes for each only leads there."""


def extensions() -> list[Extension]:
    """Return the hot modules for the C compiler; none where that is not wanted or can't be done."""
    if os.environ.get("EDGEGATE_PURE") or not {"bdist_wheel", "build_ext"} & set(sys.argv):
        return []
    if platform.python_implementation() != "CPython":
        return _uncompiled("mypyc compiles for CPython only")
    if not _can_compile():
        return _uncompiled("there is no C compiler that finds Python's headers")
    try:
        from mypyc.build import mypycify  # noqa: PLC0415

        found: list[Extension] = mypycify(
            ["--config-file=setup.cfg", *hot()], opt_level=_effort(), debug_level="0", group_name=GROUP
        )
    except (Exception, SystemExit) as error:  # a module that mypyc does not take ends in SystemExit
        return _uncompiled(f"mypyc: {error!r}")
    for each in found:
        # nobody mends what is generated; with -w alone it would still be looked for, longer than all else takes
        each.extra_compile_args += ["-w", "-Wno-all"]
    return found


def hot() -> list[str]:
    """Return the modules that say of themselves that they are to be compiled."""
    paths = sorted(Path("edgegate").rglob("*.py"))
    return [path.as_posix() for path in paths if path.read_text(encoding="utf-8").startswith(COMPILED)]


def _effort() -> str:
    """Return how much the C compiler is to do: 3, or 0 to 3 of C{EDGEGATE_OPT}, which takes less time for tests."""
    asked = os.environ.get("EDGEGATE_OPT", "3")
    return asked if asked in ("0", "1", "2", "3") else "3"


def _uncompiled(reason: str) -> list[Extension]:
    sys.stderr.write(f"edgegate is built uncompiled, and will run slower: {reason}\n")
    return []


def _can_compile() -> bool:
    """Whether there is a compiler that finds Python's headers."""
    from setuptools._distutils.ccompiler import new_compiler  # noqa: PLC0415
    from setuptools._distutils.sysconfig import customize_compiler, get_python_inc  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "probe.c"
        source.write_text("#include <Python.h>\n")
        try:
            compiler = new_compiler()
            customize_compiler(compiler)
            compiler.compile([str(source)], folder, include_dirs=[get_python_inc()])
        except Exception:  # there are two copies of distutils' errors, and OSError
            return False
    return True


class BuildAllOrNone(build_ext):
    """
    Compile all hot modules or none.

    A compiled module calls the others by their place in the library, so one that is left over from another build, or
    that was made before its neighbour failed, must never meet them.
    """

    def run(self) -> None:
        """Build, and take away again what was built where something fails."""
        self._sweep()
        try:
            super().run()
        except Exception as error:  # whatever the compiler had to say, it has said
            self._sweep()
            self.extensions = []
            _uncompiled(f"{type(error).__name__}: {error}")

    def _sweep(self) -> None:
        folders = {Path(self.build_lib), Path.cwd() if self.inplace else Path(self.build_lib)}
        for folder in folders:
            for pattern in ("*__mypyc.*.so", "edgegate/**/*.so"):
                for path in folder.glob(pattern):
                    path.unlink()


setup(ext_modules=extensions(), cmdclass={"build_ext": BuildAllOrNone})
