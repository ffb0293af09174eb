"""
The compiler: from the resources of all files to one Snapshot.

Gateways become servers, servers share ports; VirtualServices become rules that
are attached to servers; ServiceEntries and Services become services, and those
that destinations name become clusters. What is wrong between documents is found
on the way, everything in one run.
"""

from edgegate.istio.translate.compilation import compile_resources
from edgegate.istio.translate.options import CompileOptions, Finding, Part

__all__ = ["CompileOptions", "Finding", "Part", "compile_resources"]
