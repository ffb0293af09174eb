"""A gateway in an application of your own: twistd -ny embedded.tac"""

from twisted.application.service import Application
from twisted.internet import reactor

from edgegate.loading import load
from edgegate.service import GatewayService

application = Application("shop")

loaded = load("etc")
if loaded.snapshot is None:
    raise SystemExit("\n".join(str(problem) for problem in loaded.problems))
GatewayService(reactor, loaded.snapshot).setServiceParent(application)
