"""Istio's rules that concern one resource alone, a module for each kind."""

from __future__ import annotations

from typing import Any

from edgegate.config.problems import Problems
from edgegate.config.resources import Resource


def validate(resource: Resource[Any], problems: Problems) -> None:
    """Report whatever a resource says that Istio would refuse or warn of."""
