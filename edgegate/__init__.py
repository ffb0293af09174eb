"""edgegate: Istio's Gateway and VirtualService, served at the edge by Twisted."""

__version__ = "0.1.0"
