"""
A page in headless Chromium, over HTTP/2: many images, a WebSocket, and gRPC-Web of another origin.

What the page saw it tells its server, which the test waits for.
"""

from __future__ import annotations

import json
import queue
import shutil
import threading
from base64 import b64decode
from concurrent import futures
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import unquote

import grpc
from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from edgegate.demo.certificates import fill
from tests.acceptance.manifests import filled
from tests.acceptance.processes import PATIENCE, AcceptanceTestCase, free_ports

FILES = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw}
spec:
  servers:
  - port: {number: $https, name: shop, protocol: HTTPS}
    hosts: [shop.example]
    bind: 127.0.0.1
    tls: {mode: SIMPLE, serverCertificate: certs/shop.example.crt, privateKey: certs/shop.example.key}
  - port: {number: $https, name: api, protocol: HTTPS}
    hosts: [api.example]
    bind: 127.0.0.1
    tls: {mode: SIMPLE, serverCertificate: certs/api.example.crt, privateKey: certs/api.example.key}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: cart}
spec:
  hosts: [cart.example]
  resolution: STATIC
  ports: [{number: 80, name: grpc-web}]
  endpoints: [{address: 127.0.0.1, ports: {grpc-web: $cart}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [shop.example]
  gateways: [gw]
  http: [{route: [{destination: {host: 127.0.0.1, port: {number: $shop}}}]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: api}
spec:
  hosts: [api.example]
  gateways: [gw]
  http:
  - route: [{destination: {host: cart.example}}]
    corsPolicy:
      allowOrigins: [{exact: "https://shop.example:$https"}]
      allowMethods: [POST]
      allowHeaders: [content-type, x-grpc-web]
      exposeHeaders: [grpc-status, grpc-message]
"""

PAGE = """\
<!doctype html><title>shop</title>
<body></body>
<script>
const text = "application/grpc-web-text", binary = "application/grpc-web+proto";

async function* frames(response) { // of a body, as they come
  let rest = [], quads = "";
  const base64 = response.headers.get("content-type").startsWith(text);
  for (const reader = response.body.getReader();;) {
    const {value, done} = await reader.read();
    if (done) return;
    let bytes = [...value];
    if (base64) {
      quads += String.fromCharCode(...bytes);
      bytes = [];
      for (; quads.length >= 4; quads = quads.slice(4))
        bytes.push(...[...atob(quads.slice(0, 4))].map(letter => letter.charCodeAt(0)));
    }
    rest.push(...bytes);
    while (rest.length >= 5) {
      const end = 5 + rest[1] * 16777216 + rest[2] * 65536 + rest[3] * 256 + rest[4];
      if (rest.length < end) break;
      yield [rest[0] & 0x80 ? "trailers" : "message", String.fromCharCode(...rest.slice(5, end))];
      rest = rest.slice(end);
    }
  }
}

async function call(method, message, kind, each = async () => {}) {
  const head = String.fromCharCode(0, 0, 0, 0, message.length) + message;
  const body = kind == text ? btoa(head) : Uint8Array.from(head, letter => letter.charCodeAt(0));
  const headers = {"content-type": kind, "accept": kind, "x-grpc-web": "1"};
  const response = await fetch("https://api.example:$https/test/" + method, {method: "POST", headers, body});
  const found = [response.status, response.headers.get("grpc-status"), response.headers.get("grpc-message")];
  for await (const frame of frames(response)) {
    found.push(frame);
    await each(frame);
  }
  return found;
}

function images() {
  return Promise.all([...Array(100).keys()].map(number => new Promise((loaded, failed) => {
    const image = new Image();
    image.onload = () => loaded(image.naturalWidth);
    image.onerror = () => failed(new Error("image " + number));
    image.src = "/images/" + number;
    document.body.append(image);
  })));
}

function chat() {
  return new Promise((closed, failed) => {
    const socket = new WebSocket("wss://shop.example:$https/chat"), said = [];
    socket.onopen = () => socket.send("hello");
    socket.onerror = () => failed(new Error("WebSocket"));
    socket.onmessage = event => { said.push(event.data); socket.close(); };
    socket.onclose = () => closed(said);
  });
}

(async () => {
  const seen = {};
  try {
    seen.images = (await images()).reduce((sum, width) => sum + width);
    seen.chat = await chat();
    for (const kind of [binary, text]) {
      seen["unary " + kind] = await call("Echo", "hi", kind);
      seen["failed " + kind] = await call("Fail", "hi", kind);
      // the second message is sent once the first has come
      seen["stream " + kind] = await call("Stream", "a", kind, async frame => {
        if (frame[1] == "first a") await call("Go", "", kind);
      });
    }
  } catch (error) { seen.error = String(error); }
  await fetch("/seen?" + encodeURIComponent(JSON.stringify(seen)));
})();
</script>
"""

GIF = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""An image of one dot."""


class Shop:
    """
    Serves the page, its images and a WebSocket.

    @ivar seen: What the page tells.
    """

    def __init__(self) -> None:
        self.seen: queue.Queue[dict[str, Any]] = queue.Queue()
        self.page = ""
        self._server = serve(self._chat, "127.0.0.1", 0, process_request=self._answer)
        self.port = int(self._server.socket.getsockname()[1])
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._server.shutdown()
        self._thread.join(PATIENCE)

    def _chat(self, connection: ServerConnection) -> None:
        for said in connection:
            connection.send(said)

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        path, _, query = request.path.partition("?")
        if path == "/chat":
            return None
        if path == "/seen":
            self.seen.put(json.loads(unquote(query)))
        kind, body = ("image/gif", GIF) if path.startswith("/images/") else ("text/html", self.page.encode())
        return Response(HTTPStatus.OK, "OK", Headers({"content-type": kind, "content-length": str(len(body))}), body)


class Cart(grpc.GenericRpcHandler):
    """A service of gRPC, in bytes."""

    def __init__(self) -> None:
        self._go = threading.Event()

    def service(self, details: Any) -> Any:
        """Return a method."""
        unary = grpc.unary_unary_rpc_method_handler
        return {
            "/test/Echo": unary(lambda request, context: request),
            "/test/Fail": unary(self._fail),
            "/test/Go": unary(self._let_go),
            "/test/Stream": grpc.unary_stream_rpc_method_handler(self._stream),
        }.get(details.method)

    def _fail(self, request: bytes, context: Any) -> bytes:
        context.abort(grpc.StatusCode.NOT_FOUND, "nothing here")
        return b""

    def _let_go(self, request: bytes, context: Any) -> bytes:
        self._go.set()
        return b"gone"

    def _stream(self, request: bytes, context: Any) -> Any:
        yield b"first " + request
        if self._go.wait(PATIENCE):
            yield b"second " + request
        self._go.clear()


class BrowserTests(AcceptanceTestCase):
    """Chromium, without a window."""

    def setUp(self) -> None:
        super().setUp()
        names = ("chromium", "chromium-browser", "google-chrome")
        self.browser = next((name for name in names if shutil.which(name)), names[0])
        self.shop = Shop()
        self.addCleanup(self.shop.stop)
        server = grpc.server(futures.ThreadPoolExecutor(8), handlers=[Cart()])
        cart = server.add_insecure_port("127.0.0.1:0")
        server.start()
        self.addCleanup(lambda: cast(threading.Event, server.stop(None)).wait())
        (self.port,) = free_ports(1)
        etc = self.folder / "etc"
        etc.mkdir()
        fill(etc / "certs", ["shop.example", "api.example"])
        (etc / "gw.yaml").write_text(filled(FILES, https=self.port, shop=self.shop.port, cart=cart))
        self.shop.page = PAGE.replace("$https", str(self.port))
        options = "--access-log=log.json", "--access-log-format=json"
        self.gateway = self.start("twistd", "-n", "--pidfile=", "edgegate", "--config=etc", "--admin=none", *options)
        self.gateway.says("serving ")

    def test_page(self) -> None:
        """All of it arrives, by HTTP/2, and what is of the page's own origin on one connection."""
        profile = f"--user-data-dir={self.folder / 'profile'}"
        rules = "--host-resolver-rules=MAP *.example 127.0.0.1"
        options = ("--no-sandbox", "--disable-gpu", "--ignore-certificate-errors", "--remote-debugging-port=0")
        url = f"https://shop.example:{self.port}/"
        browser = self.start(self.browser, "--headless", *options, profile, rules, url)
        try:
            seen = self.shop.seen.get(timeout=PATIENCE)
        except queue.Empty:
            raise AssertionError(browser.output) from None
        browser.stop()
        wanted: dict[str, Any] = {"images": 100, "chat": ["hello"]}
        ok = ["trailers", "grpc-status:0\r\ngrpc-message:\r\n"]
        for kind in ("application/grpc-web+proto", "application/grpc-web-text"):
            wanted[f"unary {kind}"] = [200, None, None, ["message", "hi"], ok]
            wanted[f"failed {kind}"] = [200, "5", "nothing here"]
            wanted[f"stream {kind}"] = [200, None, None, ["message", "first a"], ["message", "second a"], ok]
        self.assertEqual(seen, wanted)
        self.gateway.stop()
        self.check_log()

    def check_log(self) -> None:
        """Look at what the access log says of it."""
        text = (self.folder / "log.json").read_text()
        # a browser may connect and then ask for nothing
        lines = [line for line in map(json.loads, text.splitlines()) if line["method"]]
        self.assertEqual({line["protocol"] for line in lines}, {"HTTP/2"})
        shop = [line for line in lines if line["authority"].startswith("shop.example")]
        self.assertEqual(len({line["downstream_remote_address"] for line in shop}), 1)
        chat = [line for line in shop if line["path"] == "/chat"]
        self.assertEqual([line["response_code"] for line in chat], [101])
        asked = [(line["method"], line["path"]) for line in lines if line["authority"].startswith("api.example")]
        for method in ("Echo", "Fail", "Stream", "Go"):
            self.assertEqual(asked.count(("POST", f"/test/{method}")), 2)
            self.assertIn(("OPTIONS", f"/test/{method}"), asked)
