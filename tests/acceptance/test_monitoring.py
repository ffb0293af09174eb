"""Boards and alerts, asked of a real Prometheus that has scraped two workers under load; and alerts by promtool."""

from __future__ import annotations

import atexit
import json
import math
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from string import Template
from typing import Any, ClassVar

import yaml
from twisted.trial.unittest import SynchronousTestCase

from edgegate.demo.certificates import fill
from edgegate.model.certificates import ACMEAuthority
from edgegate.tls.acme.life import Record
from edgegate.tls.acme.store import CertificateStore
from tests.acceptance.istio_boards import ENVOY, istio_queries
from tests.acceptance.known_traffic import WEB, KnownTraffic
from tests.acceptance.processes import ENVIRONMENT, ROOT, Running, free_ports, program
from tests.acceptance.prometheus import JOB, Prometheus
from tests.acceptance.test_workers import descendants, title
from tests.tls.acme.certificates import made, managed

BOARD = ROOT / "docs" / "grafana" / "edgegate.json"
ALERTS = ROOT / "docs" / "prometheus" / "alerts.yaml"
ALERT_TESTS = ALERTS.with_name("alerts.test.yaml")

LOAD = 5
"""Seconds for which clients ask as fast as they can."""

SECURE = """\
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: secure}
spec:
  servers:
  - port: {number: $https, name: https, protocol: HTTPS}
    tls: {mode: SIMPLE, serverCertificate: certs/shop.example.crt, privateKey: certs/shop.example.key}
    hosts: [shop.example]
---
apiVersion: edgegate.io/v1alpha1
kind: CertificateIssuer
metadata: {name: ca}
spec:
  acme: {server: "https://ca.invalid/dir", agreeToTerms: true}
  storage: {directory: $store}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: issued, annotations: {edgegate.io/certificate-issuer: ca}}
spec:
  servers:
  - port: {number: $https, name: https, protocol: HTTPS}
    tls: {mode: SIMPLE, credentialName: issued}
    hosts: [$issued]
"""

ISSUED = "issued.example.com"
"""A host whose certificate was issued once, so that nobody is asked for one."""

ISTIO, CONCERNED = 183, 85
"""Queries of Istio's boards, and how many of them concern a gateway."""

CHOSEN = {"job": JOB, "instance": ".*", "service": ".*", "__rate_interval": "30s"}
"""What is chosen for the variables of the board."""

SELECTOR = re.compile(r"\b((?:istio|envoy|edgegate|process)_\w+)(\{[^}]*\})")
COMPARISON = re.compile(r"\s*(?:==|!=|>=|<=|>|<)\s*[\d.]+(?:\s*\*\s*[\d.]+)?\s*$")


class Monitored:
    """
    A gateway of two workers that has been under load, and the Prometheus that has scraped it.

    @ivar counts: How many requests got each status, as the clients have counted.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="edgegate-"))
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self.traffic = KnownTraffic()
        atexit.register(self.traffic.stop)
        self.admin, metrics, self.https, nowhere = free_ports(4)
        etc = self.folder / "etc"
        fill(etc / "certs", ["shop.example"])
        store = self.folder / "store"
        keep_issued(store)
        secure = Template(SECURE).substitute(https=self.https, store=store, issued=ISSUED)
        (etc / "gw.yaml").write_text(self.traffic.files + secure)
        options = ["--config=etc", f"--admin=127.0.0.1:{self.admin}", f"--metrics-listen=127.0.0.1:{metrics}"]
        # a collector that is down: of spans there is something to show
        options += ["--workers=2", "--no-watch", "--access-log=none", f"--trace-otlp=http://127.0.0.1:{nowhere}"]
        command = [program("twistd"), "-n", "--pidfile=", "edgegate", *options, "--trace-sampling=1"]
        self.gateway = Running(command, self.folder)
        atexit.register(self.gateway.stop)
        self.gateway.says("2 workers serve")
        self.prometheus = Prometheus(self.folder, metrics, ALERTS)
        atexit.register(self.prometheus.running.stop)
        # it looks for what there is to scrape some seconds after its start
        self.prometheus.until("max(up)", 1)
        self.counts: Counter[int] = Counter()
        self._load()
        self.prometheus.until("sum(istio_requests_total)", sum(self.counts.values()))
        self.prometheus.at = time.time()

    def _load(self) -> None:
        self._handshakes()
        self._some_of_each()
        until = time.monotonic() + LOAD

        def ask(path: str) -> Counter[int]:
            counts: Counter[int] = Counter()
            while time.monotonic() < until:
                counts[self.traffic.get(path)] += 1
            return counts

        with ThreadPoolExecutor(4) as threads:
            for counts in threads.map(ask, ("/web", "/web", "/none", "/said")):
                self.counts += counts
        # a rate is made of two scrapes with something between them
        self._some_of_each()

    def _some_of_each(self) -> None:
        for (_, code, _), count in self.traffic.some_of_each().items():
            self.counts[int(code)] += count

    def _handshakes(self) -> None:
        """Have a handshake succeed, and have one come to nothing."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        for name in ("shop.example", "other.example"):
            with socket.create_connection(("127.0.0.1", self.https)) as client:
                try:
                    context.wrap_socket(client, server_hostname=name).close()
                except (ssl.SSLError, OSError):
                    assert name == "other.example"


class MonitoringTests(SynchronousTestCase):
    """One run, which the first of them makes and the end of the process ends."""

    _shared: ClassVar[Monitored | None] = None

    def setUp(self) -> None:
        """Have it."""
        cls = type(self)
        if cls._shared is None:
            program("prometheus")
            cls._shared = Monitored()
        self.monitored = cls._shared
        self.prometheus = self.monitored.prometheus

    def found(self, query: str, where: str) -> list[dict[str, str]]:
        """Check that a query yields numbers; return their labels."""
        found = self.prometheus.query(query)
        self.assertTrue(found, f"{where}: {query}")
        for labels, value in found:
            self.assertTrue(math.isfinite(value) or "histogram_quantile" in query, f"{where}: {query} {labels} {value}")
        self.assertTrue(any(math.isfinite(value) for _, value in found), f"{where}: {query}")
        return [labels for labels, _ in found]

    def test_sums(self) -> None:
        """The sums of two workers are what the clients have counted, and nothing was lost to a scrape."""
        counts, prometheus = self.monitored.counts, self.prometheus
        total = sum(counts.values())
        self.assertGreater(total, 100)
        self.assertGreater(len(counts), 4)
        for status, count in counts.items():
            self.assertEqual(prometheus.value(f'sum(istio_requests_total{{response_code="{status}"}})'), count)
        buckets = 'sum(istio_request_duration_milliseconds_bucket{le="+Inf",reporter=~"source|waypoint"})'
        self.assertEqual(prometheus.value(buckets), total)
        self.assertEqual(prometheus.value("sum(envoy_http_downstream_rq_total)"), total)
        self.assertEqual(prometheus.value("min(up)"), 1)
        self.assertGreater(prometheus.value("max(count_over_time(istio_build[1m]))"), 3)

    def test_istio(self) -> None:
        """Each query of Istio's boards that concerns a gateway yields numbers, grouped as it asks."""
        chosen = {
            "reporter": "source",
            "destination_service": WEB,
            "destination_workload": "web-1",
            "destination_workload_namespace": "shop",
            "source_workload": "istio-ingressgateway",
            "source_workload_namespace": "istio-system",
        }
        queries = list(istio_queries(chosen))
        concerned = [query for query in queries if not query.why]
        self.assertEqual((len(queries), len(concerned)), (ISTIO, CONCERNED))
        for query in concerned:
            everything = query.where.endswith(("4xxs", "5xxs"))
            for expression in query.expressions:
                for labels in self.found(expression, query.where):
                    self.assertEqual(set(labels), set(query.groups), f"{query.where}: {expression}")
                    self.assertTrue(everything or all(labels.values()), labels)

    def test_envoy(self) -> None:
        """So does each series that Envoy's boards ask for."""
        names = set(self.prometheus.ask("label/__name__/values"))
        asked = {name for name in ENVOY if not any(each.removesuffix("_bucket") == name for each in names)}
        self.assertEqual(asked, set())

    def test_board(self) -> None:
        """Each query of the board yields numbers, of series that are all there; so do its variables."""
        board = json.loads(BOARD.read_text())
        variables = {each["name"]: each for each in board["templating"]["list"]}
        self.assertEqual(set(variables), {"datasource", "job", "instance", "service"})
        for name in ("job", "instance", "service"):
            asked, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variables[name]["query"]["query"]).groups()  # type: ignore[union-attr]
            found = {labels[label] for labels in self.found(f"count by ({label}) ({filled(asked)})", name)}
            self.assertLessEqual({"job": {JOB}, "service": {WEB, "unknown"}}.get(name, set()), found)
        queries = list(board_queries(board))
        self.assertGreater(len(queries), 60)
        for where, expression in queries:
            query = filled(expression)
            self.found(query, where)
            for name, selector in SELECTOR.findall(query):
                self.found(f"count({name}{selector})", where)

    def test_one_service(self) -> None:
        """Who chooses one service sees its cluster, and no other."""
        chosen = {**CHOSEN, "service": re.escape(WEB).replace("\\", "\\\\")}
        (panel,) = [each for each in json.loads(BOARD.read_text())["panels"] if each["title"] == "Retries"]
        for target in panel["targets"]:
            found = self.found(filled(target["expr"], chosen), "Retries")
            self.assertEqual(found, [{"envoy_cluster_name": f"outbound|80||{WEB}"}])

    def test_alerts(self) -> None:
        """Prometheus takes all rules; each alert without its comparisons yields numbers; none fires that is not so."""
        groups = self.prometheus.ask("rules")["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        self.assertEqual([rule["health"] for rule in rules], ["ok"] * 19)
        alerts = [rule for rule in rules if rule["type"] == "alerting"]
        self.assertEqual(len(alerts), 15)
        for alert in alerts:
            for part in alert["query"].split(" and "):
                asked, compared = COMPARISON.subn("", part)
                self.assertEqual(compared, 1, part)
                self.found(asked, alert["name"])
        self.assertEqual(self.prometheus.query('ALERTS{alertstate="firing"}'), [])

    def test_worker_restarts(self) -> None:
        """A worker that is killed makes its alert fire."""
        worker = next(
            each for each in descendants(self.monitored.gateway.process.pid) if title(each) == "edgegate worker"
        )
        self.prometheus.at, at = None, self.prometheus.at
        try:
            os.kill(worker, signal.SIGKILL)
            self.prometheus.until('ALERTS{alertname="EdgegateWorkerRestarts",alertstate="firing"}', 1)
        finally:
            self.prometheus.at = at


class AlertTests(SynchronousTestCase):
    """The alerts, without a gateway."""

    def promtool(self, *arguments: str) -> None:
        """Run it."""
        command = [program("promtool"), *arguments]
        ran = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)

    def test_rules(self) -> None:
        """They are in order."""
        self.promtool("check", "rules", "--lint=all", "--lint-fatal", str(ALERTS))

    def test_fire(self) -> None:
        """Each fires where it should, and where it should not none does."""
        self.promtool("test", "rules", str(ALERT_TESTS))
        groups = yaml.safe_load(ALERTS.read_text())["groups"]
        names = {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}
        tests = yaml.safe_load(ALERT_TESTS.read_text())["tests"]
        samples = [
            sample["labels"] for test in tests for each in test["promql_expr_test"] for sample in each["exp_samples"]
        ]
        fired = {name for labels in samples for name in re.findall('alertname="([A-Za-z]+)"', labels)}
        self.assertEqual(fired, names)


class BoardTests(SynchronousTestCase):
    """The board, without a gateway."""

    def test_importable(self) -> None:
        """Grafana can import it: each panel has a number, a place of its own, a data source that the reader chooses."""
        board: dict[str, Any] = json.loads(BOARD.read_text())
        self.assertEqual((board["id"], board["uid"], board["title"]), (None, "edgegate", "edgegate"))
        panels = board["panels"]
        self.assertEqual(len({panel["id"] for panel in panels}), len(panels))
        taken: set[tuple[int, int]] = set()
        for panel in panels:
            place = panel["gridPos"]
            self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])
            columns, rows = range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
            cells = {(column, row) for column in columns for row in rows}
            self.assertFalse(cells & taken, panel["title"])
            taken |= cells
            if panel["type"] != "row":
                self.assertTrue(panel["description"].endswith("."), panel["title"])
                for each in (panel, *panel["targets"]):
                    self.assertEqual(each["datasource"], {"type": "prometheus", "uid": "${datasource}"})


def keep_issued(folder: Path) -> None:
    """Have a storage with a certificate in it, which is not due for a while."""
    certificate = managed(folder, ISSUED)
    authority = ACMEAuthority("https://ca.invalid/dir")
    certificate = replace(certificate, issuer=replace(certificate.issuer, authority=authority))
    now = float(int(time.time()))
    pair, store = made(certificate, now, now + 90 * 86400), CertificateStore(certificate.issuer)
    store.put_pair(certificate, pair.key, pair.chain)
    store.put_record(certificate, Record(now, now + 90 * 86400, ask_at=now + 86400, issued_at=now))


def board_queries(board: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the queries of a board, and where each is."""
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]
    for annotation in board["annotations"]["list"]:
        yield annotation["name"], annotation["expr"].removesuffix(" > 0")


def filled(expression: str, chosen: dict[str, str] = CHOSEN) -> str:
    """Return a query with its variables replaced."""
    return re.sub(r"\$(\w+)", lambda found: chosen[found[1]], expression)
