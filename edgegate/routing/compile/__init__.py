"""
The compiler: from the model to one Snapshot, whatever language of files the model came from.

Servers share ports, what is attached to them becomes filter chains: route tables by host, context maps by SNI. What is
wrong between them is found on the way, everything in one run.
"""

from edgegate.routing.compile.compilation import Compiled, compile_snapshot

__all__ = ["Compiled", "compile_snapshot"]
