"""
The build backend: setuptools, which is given what it takes to compile the hot modules.

A wheel is compiled (see C{setup.py}), an editable install is not: its sources change. With EDGEGATE_PURE set neither
is, and nothing but setuptools is asked for.
"""

from __future__ import annotations

import configparser
import os
from pathlib import Path
from typing import Any

from setuptools import build_meta
from setuptools.build_meta import *  # noqa: F403 (all hooks that are not replaced here)


def get_requires_for_build_wheel(config_settings: Any = None) -> list[str]:
    """Ask for mypyc, and for the libraries whose types it looks at."""
    found: list[str] = build_meta.get_requires_for_build_wheel(config_settings)
    if os.environ.get("EDGEGATE_PURE"):
        return found
    config = configparser.ConfigParser()
    config.read(Path(__file__).resolve().parents[1] / "setup.cfg")
    lists = (config["options.extras_require"]["compile"], config["options"]["install_requires"])
    return [*found, *(line for each in lists for line in each.split("\n") if line)]
