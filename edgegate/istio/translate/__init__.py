"""
From the resources of all files to the model.

Gateways become servers; VirtualServices become routes that are attached to servers; ServiceEntries and Services become
services, and those that destinations name become clusters. What is wrong between documents is found on the way,
everything in one run.
"""

from edgegate.istio.translate.compile_options import CompileOptions, Finding, Part
from edgegate.istio.translate.translation import IstioTranslation

__all__ = ["CompileOptions", "Finding", "IstioTranslation", "Part"]
