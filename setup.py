"""
All metadata stands in setup.cfg. What is said here is which modules are compiled, by mypyc, when a wheel is built.

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

HOT = (
    *(
        "net/containment",
        "net/poller",
        "net/descriptor",
        "net/splice",
        "net/listening",
        "net/peek",
        "net/lingering_close",
    ),
    "net/pipe",
    *("net/body_run", "net/body_splice", "net/body_copy", "net/wheel", "net/transport", "net/stream", "net/tls_calls"),
    *("net/tls_stream", "net/tls_client", "net/addresses", "net/sockaddr"),
    *("tls/client_hello", "tls/sni"),
    *("downstream/tls_inspector", "downstream/listener", "downstream/dispatch"),
    "errors",
    "http/router/upstream_callbacks",
    *(
        "http/response",
        "http/h1/chunks",
        "http/environment",
        "http/exchange",
        "http/field_block",
        "http/fields",
        "http/forwarded",
        "http/target",
        "http/request",
    ),
    *(
        "http/h1/head_parser",
        "http/h1/head_cache",
        "http/h1/chunk_reader",
        "http/h1/request_reader",
        "http/h1/unfinished_heads",
    ),
    *("http/h1/response_reader", "http/h1/response_writer"),
    *(
        "http/h1/upstream_connection",
        "http/h1/downstream_connection",
        "http/h1/timeouts",
        "http/h1/lingering_close",
        "http/gateway",
        "http/resources",
    ),
    *(
        "http/header_mutation",
        "http/router/retry_policy",
        "http/router/shadow",
        "http/router/router",
        "http/router/upstream_request",
    ),
    *("observe/observers", "observe/counters", "observe/access_log", "observe/log_lines"),
    *("upstream/pool", "upstream/retry_budget", "upstream/endpoint", "upstream/circuit_breaker", "upstream/cluster"),
    *("upstream/health/outlier_detection", "upstream/selection", "upstream/registry", "upstream/balancing/__init__"),
    *("upstream/balancing/random", "upstream/balancing/round_robin", "upstream/balancing/least_request"),
    *("upstream/balancing/edf", "upstream/dynamic_hosts"),
    *("upstream/cluster_limits", "upstream/endpoint_set", "upstream/load_balancer"),
    *("routing/hosts", "routing/matching", "routing/table", "routing/snapshot"),
    *("model/addresses", "model/origin", "model/hosts", "model/expressions", "model/matching", "model/tls"),
    *("model/headers", "model/actions", "model/policies", "model/clusters", "model/routes"),
)
"""The modules that every request passes."""

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

        paths = [f"edgegate/{name}.py" for name in HOT]
        found: list[Extension] = mypycify(
            ["--config-file=setup.cfg", *paths], opt_level="3", debug_level="0", group_name=GROUP
        )
    except (Exception, SystemExit) as error:  # a module that mypyc does not take ends in SystemExit
        return _uncompiled(f"mypyc: {error!r}")
    return found


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
