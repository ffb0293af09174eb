"""A gateway in an application of your own: twistd -ny embedded.tac"""

from twisted.application.service import Application
from twisted.internet import reactor

from edgegate.sources.loading import Configuration
from edgegate.sources.named import source_named
from edgegate.server.service import GatewayService

application = Application("shop")

configuration = Configuration(source_named("etc"))
loaded = configuration.load()
if loaded.snapshot is None:
    raise SystemExit("\n".join(str(problem) for problem in loaded.problems))
GatewayService(reactor, loaded, configuration.reload).setServiceParent(application)
