"""What is told of documents, for tests."""

from __future__ import annotations

from edgegate.config.manifest import read
from edgegate.config.problems import Problems
from edgegate.istio.analysis import analyze
from edgegate.istio.decode import decode
from edgegate.istio.translate import CompileOptions
from edgegate.sources.compilation import compile_resources


def documents(kind: str, name: str, spec: str, metadata: str = "") -> str:
    """Write a document of one of Istio's kinds."""
    return f"""\
---
apiVersion: networking.istio.io/v1
kind: {kind}
metadata: {{name: {name}{metadata}}}
spec: {spec}
"""


def told(text: str, options: CompileOptions | None = None, portable: bool = False) -> Problems:
    """Return all that is told of a file, by the compiler and by the analyzers."""
    problems, options = Problems(), options or CompileOptions()
    resources = decode(read("in.yaml", text, problems), problems)
    compile_resources(resources, options, problems)
    analyze(resources, options, problems, portable)
    return problems


def lines(text: str, code: str, options: CompileOptions | None = None) -> list[str]:
    """Return the lines that tell of a code, each with the resource that it is about; without a code all."""
    return [f"{each.resource}: {each} [{each.code}]" for each in told(text, options) if code in ("", each.code)]
