"""Tell twistd and twist that there is an `edgegate`."""

from twisted.application.service import ServiceMaker

edgegate = ServiceMaker(
    "edgegate",
    "edgegate.tap",
    "Serve Istio's Gateway and VirtualService files at the edge.",
    "edgegate",
)
