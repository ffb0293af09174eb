"""Tests of L{edgegate.sources.loading}."""

from __future__ import annotations

import gc
import os
import tracemalloc
import weakref
from datetime import datetime, timedelta, timezone
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.problems import Problems
from edgegate.model.addresses import TCPAddress
from edgegate.sources.files import MAX_KEY_FILE
from edgegate.sources.folder import Folder
from edgegate.sources.loading import Configuration, Loaded, load
from edgegate.sources.named import source_named
from edgegate.tls.authority import Authority
from tests.sources.test_folder import CountingReader

NOW = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
ISSUED = Authority.new("Test authority", NOW).server(["shop.example"], NOW)

HTTP = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw}
spec:
  selector: {istio: edge}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
"""
HTTPS = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: tls}
spec:
  servers:
  - port: {number: 443, name: https, protocol: HTTPS}
    hosts: [shop.example]
    tls: {mode: SIMPLE, serverCertificate: certs/shop.crt, privateKey: certs/shop.key}
"""
BACKEND = f"""\
{HTTP}---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: shop}}
spec:
  hosts: ["*"]
  gateways: [gw]
  http: [{{route: [{{destination: {{host: localhost, port: {{number: 8443}}}}}}]}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: local}}
spec:
  host: localhost
  trafficPolicy:
    tls:
      mode: MUTUAL
      clientCertificate: certs/client.crt
      privateKey: certs/client.key
      caCertificates: certs/ca.crt
"""


class LoadTests(SynchronousTestCase):
    """Folders, files and standard input."""

    def setUp(self) -> None:
        """Make a folder."""
        self.folder = Path(self.mktemp())
        (self.folder / "certs").mkdir(parents=True)

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file of the folder."""
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def load(self, config: str | Path | None = None, **options: object) -> Loaded:
        """Load the folder, or something in it."""
        return load(source_named(str(config or self.folder)), now=NOW, **options)  # type: ignore[arg-type]

    def reported(self, loaded: Loaded) -> list[str]:
        """What was reported, as it is printed."""
        return [str(problem) for problem in loaded.problems]

    def test_folder(self) -> None:
        """All YAML and JSON files of a folder are one configuration; certificates are relative to it."""
        self.write("b.yaml", HTTPS)
        self.write("a.yml", HTTP)
        self.write("c.json", '{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}')
        self.write("certs/shop.crt", ISSUED.chain_pem)
        self.write("certs/shop.key", ISSUED.key_pem)
        loaded = self.load()
        told = [line for line in self.reported(loaded) if "every request is answered 404" not in line]
        self.assertEqual(told, [])
        assert loaded.snapshot is not None
        self.assertEqual([each.port for each in loaded.snapshot.listeners], [80, 443])
        chain = loaded.snapshot.listeners[1].secure.lookup("shop.example")
        assert chain is not None and chain.tls is not None
        self.assertEqual(loaded.secrets.resolve(chain.tls).certificates[0].chain, ISSUED.chain_pem)

    def test_left_out(self) -> None:
        """Hidden files and folders, and other files, are not read."""
        (self.folder / ".hidden").mkdir()
        for name in (".hidden.yaml", "notes.txt", "a.yaml.bak", ".hidden/x.yaml"):
            self.write(name, "{")
        (self.folder / "folder.yaml").mkdir()
        loaded = self.load()
        self.assertEqual(self.reported(loaded), [f"{self.folder}:1:1: info: no Gateway is declared: no port is opened"])
        assert loaded.snapshot is not None
        self.assertEqual(loaded.snapshot.listeners, ())

    def test_tree(self) -> None:
        """Folders within the folder are read too; what a document names is relative to the outermost one."""
        self.write("certs/https.yaml", HTTPS)
        self.write("certs/shop.crt", ISSUED.chain_pem)
        self.assertEqual(
            self.reported(self.load()),
            [
                'certs/https.yaml:8:60: error: spec.servers[0].tls.privateKey: "certs/shop.key" can\'t be read: No such'
                " file or directory"
            ],
        )
        self.write("certs/shop.key", ISSUED.key_pem)
        loaded = self.load()
        assert loaded.snapshot is not None
        self.assertEqual(str(loaded.snapshot.listeners[0].origin), "certs/https.yaml:6")

    def test_passed_over(self) -> None:
        """Routes in a file with another ending are missed: a warning; what more there is of a kind is a note."""
        self.write("gateway.yaml", HTTP)
        said = "not read, as its name does not end in .yaml, .yml or .json; it holds"
        self.write("routes.txt", BACKEND.partition("---\n")[2])
        self.assertEqual(
            self.reported(self.load())[-1], f"routes.txt:1:1: warning: {said}: VirtualService, DestinationRule"
        )
        self.write("more.txt", HTTP)
        self.assertIn(f"more.txt:1:1: info: {said}: Gateway", self.reported(self.load()))

    def test_pipe(self) -> None:
        """A pipe in place of a file, or of a certificate, is an error, and is not waited for."""
        self.write("https.yaml", HTTPS)
        self.write("certs/shop.crt", ISSUED.chain_pem)
        os.mkfifo(self.folder / "a.yaml")
        os.mkfifo(self.folder / "certs/pipe")
        (self.folder / "certs/shop.key").symlink_to("pipe")
        reason = "can't be read: it is a named pipe, not a file"
        self.assertEqual(
            self.reported(self.load()),
            [
                f"a.yaml:1:1: error: {reason}",
                "a.yaml:1:1: info: 1 more problem that may follow from this error: not shown until that is mended",
                f'https.yaml:8:60: error: spec.servers[0].tls.privateKey: "certs/shop.key" {reason}',
            ],
        )

    def test_other_folder(self) -> None:
        """A name is relative to where the process was, also when that is gone."""
        here = Path.cwd()
        self.addCleanup(os.chdir, here)
        self.write("a.yaml", HTTP)
        os.chdir(self.folder)
        configuration = Configuration(source_named("."))
        os.chdir("/")
        self.assertEqual(len(configuration.load().contents.named), 0)
        loaded = configuration.load()
        assert loaded.snapshot is not None
        self.assertEqual(loaded.snapshot.listeners[0].port, 80)
        gone = here / self.mktemp()
        gone.mkdir(parents=True)
        os.chdir(gone)
        gone.rmdir()
        self.assertEqual(
            self.reported(Configuration(source_named("etc")).load()),
            ["etc:1:1: error: can't be read: No such file or directory"],
        )

    def test_file(self) -> None:
        """A single file is called as it was named; certificates are relative to its folder."""
        path = self.write("one.yaml", HTTPS)
        self.write("certs/shop.crt", ISSUED.chain_pem)
        missing = '"certs/shop.key" can\'t be read: No such file or directory'
        self.assertEqual(
            self.reported(self.load(path)), [f"{path}:8:60: error: spec.servers[0].tls.privateKey: {missing}"]
        )

    def test_standard_input(self) -> None:
        """C{-} reads standard input."""
        loaded = load(source_named("-", HTTP.encode), now=NOW)
        assert loaded.snapshot is not None
        self.assertEqual(loaded.snapshot.listeners[0].origin.file, "<stdin>")

    def test_options(self) -> None:
        """Ports are mapped, and Gateways taken by their selector."""
        self.write("a.yaml", HTTP)
        loaded = self.load(selector={"istio": "edge"}, port_map={80: 8080})
        assert loaded.snapshot is not None
        self.assertEqual(loaded.snapshot.listeners[0].bind, TCPAddress("::", 8080))
        loaded = self.load(selector={"istio": "other"})
        self.assertEqual(
            self.reported(loaded), [f"{self.folder}:1:1: info: no server of any Gateway is served: no port is opened"]
        )

    def test_unreadable(self) -> None:
        """What is not there, or can't be read, is an error with the reason."""
        nowhere = str(self.folder / "nothing")
        for config, shown, reason in (
            (nowhere, nowhere, "No such file or directory"),
            ("a\0b", "a\\x00b", "no file can have this name"),
        ):
            loaded = self.load(config)
            self.assertIsNone(loaded.snapshot)
            self.assertEqual(self.reported(loaded), [f"{shown}:1:1: error: can't be read: {reason}"])
        (self.folder / "a.yaml").symlink_to("nowhere")
        self.assertEqual(self.reported(self.load()), ["a.yaml:1:1: error: can't be read: No such file or directory"])

    def test_all_at_once(self) -> None:
        """Syntax, fields, references and key material are reported in one run."""
        self.write("a.yaml", "a: [\n")
        self.write("b.yaml", HTTP.replace("name: http,", "name: http, nmae: x,"))
        self.write("c.yaml", HTTPS)
        self.write("certs/shop.crt", b"nothing")
        self.write("certs/shop.key", ISSUED.key_pem)
        loaded = self.load()
        self.assertIsNone(loaded.snapshot)
        errors = [str(problem).partition(":")[0] for problem in loaded.problems if problem.severity.name == "ERROR"]
        self.assertEqual(sorted(set(errors)), ["a.yaml", "b.yaml", "c.yaml"])

    def test_strict(self) -> None:
        """Where warnings are taken for errors one of them is enough, but not that a certificate has expired."""
        self.write("a.yaml", HTTPS)
        self.write("certs/shop.crt", ISSUED.chain_pem)
        self.write("certs/shop.key", ISSUED.key_pem)
        strict = Configuration(source_named(str(self.folder)), strict=True)
        self.assertIsNone(strict.load(NOW).snapshot)
        self.assertIsNotNone(Configuration(source_named(str(self.folder))).load(NOW).snapshot)
        self.write("b.yaml", BACKEND.split("---\n")[1].replace("[gw]", "[tls]"))
        later = strict.load(NOW + timedelta(days=20000))
        self.assertIn("expired", " ".join(self.reported(later)))
        self.assertIsNotNone(later.snapshot)

    def test_keys_for_backends(self) -> None:
        """Key material of DestinationRules is looked at, and what is wrong with it said where it is named."""
        other = Authority.new("Another authority", NOW).server(["shop.example"], NOW)
        self.write("certs/client.crt", ISSUED.chain_pem)
        self.write("certs/client.key", other.key_pem)
        self.write("certs/ca.crt", b"nothing")
        self.write("shop.yaml", BACKEND)
        loaded = load(source_named(str(self.folder)), now=NOW)
        self.assertEqual(
            [str(problem).partition(" (")[0] for problem in loaded.problems],
            [
                "shop.yaml:25:7: error: spec.trafficPolicy.tls.privateKey: certs/client.crt: the private key does not"
                " belong to the certificate",
                "shop.yaml:26:7: error: spec.trafficPolicy.tls.caCertificates: no certificate found: it is not PEM",
            ],
        )

    def test_huge_key_file(self) -> None:
        """A file that no certificate can be is not read whole."""
        self.write("c.yaml", HTTPS)
        self.write("certs/shop.key", ISSUED.key_pem)
        with (self.folder / "certs/shop.crt").open("wb") as file:
            os.truncate(file.fileno(), MAX_KEY_FILE + 1)
        (reported,) = self.reported(self.load())
        self.assertIn("certs/shop.crt", reported)
        self.assertIn("File too large", reported)

    def cost(self, services: int) -> tuple[int, int, int]:
        """Load VirtualServices with ten routes each; return what it leaves and its peak in bytes, and its objects."""
        routes = "\n".join(
            f"  - match: [{{uri: {{prefix: /{number}0/}}, method: {{exact: GET}}}}]\n"
            "    route: [{destination: {host: 127.0.0.1, port: {number: 80}}}]"
            for number in range(10)
        )
        head = "apiVersion: networking.istio.io/v1\nkind: VirtualService\n"
        self.write(
            "many.yaml",
            "---\n".join(
                f"{head}metadata: {{name: s{number}}}\nspec:\n  hosts: [s{number}.example]\n  gateways: [gw]\n  http:\n"
                + routes.replace("/90/", f"/of-its-own-{number}/")
                + "\n"
                for number in range(services)
            ),
        )
        self.load()  # what is imported and cached on the way does not count
        gc.collect()
        objects = len(gc.get_objects())
        tracemalloc.start()
        try:
            loaded = self.load()
            left, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        self.assertEqual(self.reported(loaded), [])
        return left, peak, len(gc.get_objects()) - objects

    def test_cost_of_a_service(self) -> None:
        """A VirtualService with ten routes costs a few kilobytes, and not many more while it is read."""
        self.write("gw.yaml", HTTP)
        few, many = self.cost(50), self.cost(250)
        left, peak, objects = ((after - before) / 200 for before, after in zip(few, many, strict=True))
        self.assertLess(left, 6_000)
        self.assertLess(peak, 16_000)
        self.assertLess(objects, 50)

    def test_no_cycles(self) -> None:
        """What is loaded, and what was made on the way, needs no garbage collector to be freed."""
        self.write("all.yaml", HTTP + "---\n" + HTTPS)
        self.write("certs/shop.crt", ISSUED.chain_pem)
        self.write("certs/shop.key", ISSUED.key_pem)
        self.load()  # what is imported and cached on the way does not count
        gc.collect()
        gc.set_debug(gc.DEBUG_SAVEALL)
        try:
            loaded: Loaded | None = self.load()
            assert loaded is not None and loaded.snapshot is not None, self.reported(loaded)
            freed, loaded = weakref.ref(loaded.problems), None
            self.assertIsNone(freed())
            gc.collect()
            left = [each for each in gc.garbage if type(each).__module__.startswith("edgegate.")]
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
        self.assertEqual(left, [])

    def test_reload(self) -> None:
        """Each file is read once, also where it turns out that nothing has changed; then nothing is compiled."""
        self.write("gw.yaml", HTTP + "---\n" + HTTPS)
        chain, key = self.write("certs/shop.crt", ISSUED.chain_pem), self.write("certs/shop.key", ISSUED.key_pem)
        reader = CountingReader()
        configuration = Configuration(Folder(str(self.folder), reader))
        loaded = configuration.load(NOW)
        self.assertIsNone(configuration.reload(loaded.contents))
        other = Authority.new("Another authority", NOW).server(["shop.example"], NOW)
        chain.write_bytes(other.chain_pem)
        key.write_bytes(other.key_pem)
        reader.contents.clear()
        again = configuration.reload(loaded.contents)
        assert again is not None and again.snapshot is not None
        texts = (HTTP + "---\n" + HTTPS).encode(), other.chain_pem, other.key_pem
        self.assertEqual(reader.contents, dict.fromkeys(texts, 1))
        self.assertIsNone(configuration.reload(again.contents))
        third = configuration.reload(None)
        assert third is not None
        contexts = third.secrets.contexts
        self.assertIs(contexts, loaded.secrets.contexts)
        self.assertEqual(contexts.made, 2)  # for the certificate before, and for the one that took its place

    def test_frozen(self) -> None:
        """It may be hidden from the garbage collector, which then has little to look through."""
        self.write("gw.yaml", HTTP)
        self.addCleanup(gc.unfreeze)
        loaded = Configuration(source_named(str(self.folder)), frozen=True).load(NOW)
        assert loaded.snapshot is not None
        self.assertTrue(gc.isenabled())
        self.assertFalse([each for each in gc.get_objects() if type(each) is type(loaded.snapshot)])

    def test_thorough(self) -> None:
        """Cycles that were hidden are freed with the next load; where there is much, not with each of them."""
        self.write("gw.yaml", HTTP)
        self.addCleanup(gc.unfreeze)
        configuration = Configuration(source_named(str(self.folder)), frozen=True)
        # whatever other tests of the process have left
        configuration.few_objects = 1 << 40

        def loads_until_freed() -> int:
            cycle: list[object] = [Problems()]
            cycle.append(cycle)
            freed = weakref.ref(cycle[0])
            configuration.load(NOW)
            del cycle
            count = 0
            while freed() is not None and count < 10:
                configuration.load(NOW)
                count += 1
            return count

        self.assertEqual(loads_until_freed(), 1)
        configuration.few_objects, configuration.thorough_every = 0, 6
        self.assertEqual(loads_until_freed(), 3)  # two were before

    def test_collector(self) -> None:
        """The garbage collector is as it was before."""
        self.load()
        self.assertTrue(gc.isenabled())
        gc.disable()
        try:
            self.load()
            self.assertFalse(gc.isenabled())
        finally:
            gc.enable()
