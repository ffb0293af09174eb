"""Any Twisted protocol on edgegate's streams: python streams.py 8007"""

import sys

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory
from twisted.internet.task import react
from twisted.protocols.wire import Echo

from edgegate.model.addresses import TCPAddress
from edgegate.net.endpoints import StreamServerEndpoint
from edgegate.net.wheel import TimerWheel


async def main(reactor, port):
    address = TCPAddress("127.0.0.1", int(port))
    await StreamServerEndpoint(reactor, TimerWheel(reactor), address).listen(Factory.forProtocol(Echo))
    print("serving echo on", address, flush=True)
    await Deferred()


react(main, sys.argv[1:])
