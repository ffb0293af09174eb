"""Tests of L{edgegate.access_log.collected_log}, with a collector on this machine."""

from __future__ import annotations

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from twisted.internet import reactor
from twisted.trial.unittest import TestCase
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from edgegate.access_log.collected_log import CollectedLog
from edgegate.model.access_logs import AccessLogFile
from edgegate.protobuf.writing import bytes_field, text_field


class Logs(Resource):
    """Takes logs, or refuses them."""

    isLeaf = True  # noqa: N815

    def __init__(self) -> None:
        super().__init__()
        self.status = 200
        self.got: list[tuple[bytes, bytes | None, ExportLogsServiceRequest]] = []

    def render_POST(self, request: Request) -> bytes:
        """Take a batch."""
        message = ExportLogsServiceRequest()
        message.ParseFromString(request.content.read())
        self.got.append((request.path, request.getHeader(b"content-type"), message))
        request.setResponseCode(self.status)
        return b""


class CollectedLogTests(TestCase):
    """How records come to a collector."""

    def setUp(self) -> None:
        """Have a collector, and a log that goes to it."""
        self.logs = Logs()
        port = reactor.listenTCP(0, Site(self.logs), interface="127.0.0.1")  # type: ignore[attr-defined]
        self.addCleanup(port.stopListening)
        wanted = AccessLogFile(f"otlp:http://127.0.0.1:{port.getHost().port}", log_name="edge")
        self.log = CollectedLog(reactor, wanted, [("service.name", "gateway")])  # type: ignore[arg-type]
        self.log.open()

    def add(self) -> None:
        """Add a record."""
        self.log.add(bytes_field(2, bytes_field(5, text_field(1, "a line"))))

    async def test_sent(self) -> None:
        """The end sends what waits, to the usual path, with what the log is called and of what it is."""
        self.add()
        await self.log.close()
        ((path, content_type, message),) = self.logs.got
        self.assertEqual((path, content_type), (b"/v1/logs", b"application/x-protobuf"))
        (resource,) = message.resource_logs
        said = [(each.key, each.value.string_value) for each in resource.resource.attributes]
        self.assertEqual(said, [("log_name", "edge"), ("service.name", "gateway")])
        self.assertEqual([each.body.string_value for each in resource.scope_logs[0].log_records], ["a line"])
        self.assertEqual((self.log.lost, self.log.ended), (0, True))

    async def test_closed_again(self) -> None:
        """Whoever closes it again hears of the same end; what comes later is lost."""
        self.add()
        both = [self.log.close(), self.log.close()]
        self.assertFalse(self.log.ended)
        for each in both:
            await each
        self.add()
        self.assertEqual((len(self.logs.got), self.log.lost), (1, 1))
        await self.log.close()

    async def test_refused(self) -> None:
        """What the collector does not take is counted."""
        self.logs.status = 503
        self.add()
        await self.log.close()
        self.assertEqual(self.log.lost, 1)
