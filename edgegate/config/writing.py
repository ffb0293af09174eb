"""Writing YAML."""

from __future__ import annotations

import yaml


def to_yaml(value: object) -> str:
    """Return lists, dictionaries, texts and numbers as YAML, in their order."""
    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True)
    return text
