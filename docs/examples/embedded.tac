"""A gateway in an application of your own: twistd -ny embedded.tac"""

from twisted.application.service import Application
from twisted.internet import reactor

from edgegate.sources.loading import Configuration
from edgegate.server.service import GatewayService

application = Application("shop")

configuration = Configuration("etc")
loaded = configuration.load()
if loaded.snapshot is None:
    raise SystemExit("\n".join(str(problem) for problem in loaded.problems))
GatewayService(reactor, loaded, configuration.load).setServiceParent(application)
