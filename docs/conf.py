"""How Sphinx builds the documentation."""

from importlib.metadata import version as installed_version

project = "edgegate"
author = "the edgegate developers"
copyright = "2026, the edgegate developers"
release = version = installed_version("edgegate")

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = "edgegate"
