"""Tests of L{edgegate.option_values}."""

from __future__ import annotations

import os
from ipaddress import ip_network
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import TCPAddress
from edgegate.option_values import (
    parse_header_name,
    parse_label,
    parse_locality,
    parse_network,
    parse_port_map,
    parse_proxy_port,
    parse_seconds,
    parse_server,
    parse_size,
    parse_workers,
    processors,
)


class OptionsTests(SynchronousTestCase):
    """From text to values."""

    def test_labels(self) -> None:
        """A value may be empty, and have an equals sign in it."""
        self.assertEqual(parse_label("istio=edge"), ("istio", "edge"))
        self.assertEqual(parse_label("a=b=c"), ("a", "b=c"))
        self.assertEqual(parse_label("a="), ("a", ""))
        for text in ("", "a", "=a"):
            self.assertRaises(ValueError, parse_label, text)

    def test_port_maps(self) -> None:
        """Two port numbers."""
        self.assertEqual(parse_port_map("80:8080"), (80, 8080))
        for text in ("80", "80:", ":80", "80:0", "0:80", "80:65536", "a:b", "80:80:80", "\u0661:80", "-1:80"):
            self.assertRaises(ValueError, parse_port_map, text)

    def test_proxy_ports(self) -> None:
        """A port number, maybe with a word."""
        self.assertEqual((parse_proxy_port("443"), parse_proxy_port("80:optional")), ((443, False), (80, True)))
        for text in ("", "0", "65536", "443:", "443:maybe", "http", ":optional", "\u0661"):
            self.assertRaises(ValueError, parse_proxy_port, text)

    def test_workers(self) -> None:
        """A number, or as many as there are processors."""
        self.assertEqual([parse_workers(text) for text in ("1", "128")], [1, 128])
        self.assertEqual(parse_workers("auto"), min(processors(), 128))
        for text in ("", "0", "129", "-1", "1.5", "many", "\u0661"):
            self.assertRaises(ValueError, parse_workers, text)

    def test_processors(self) -> None:
        """A control group may give less time than there are processors, in parts of one, too."""
        here = Path(self.mktemp())
        own = here / Path("/proc/self/cgroup").read_text(encoding="ascii").rpartition("::/")[2].strip()
        own.mkdir(parents=True)
        free = processors(here)
        self.assertEqual(free, len(os.sched_getaffinity(0)))
        for limit, count in (("max 100000", free), ("50000 100000", 1), ("9999999999 100000", free), ("x", free)):
            (own / "cpu.max").write_text(limit)
            self.assertEqual(processors(here), count, limit)

    def test_sizes(self) -> None:
        """Bytes, or a number with a unit."""
        found = [parse_size(text) for text in ("0", "65536", "64KiB", "64MiB", "2GiB")]
        self.assertEqual(found, [0, 65536, 65536, 64 << 20, 2 << 30])
        for text in ("", "KiB", "-1", "1.5MiB", "64 MiB", "64MB", "\u0661", "1" * 16, "1_0"):
            self.assertRaises(ValueError, parse_size, text)

    def test_times(self) -> None:
        """A number of seconds, or one with a unit."""
        found = [parse_seconds(text) for text in ("0", "30", "30s", "0.25s", "250ms", "1.5m", "2h")]
        self.assertEqual(found, [0.0, 30.0, 30.0, 0.25, 0.25, 90.0, 7200.0])
        for text in ("", "s", "-1s", "30 s", "1d", ".5", "1.", "\u0661", "1" * 7, "inf"):
            self.assertRaises(ValueError, parse_seconds, text)

    def test_networks(self) -> None:
        """A network without bits beyond its prefix, or an address."""
        self.assertEqual(parse_network("10.1.0.0/16"), ip_network("10.1.0.0/16"))
        self.assertEqual(parse_network("fd00::1"), ip_network("fd00::1/128"))
        for text in ("", "10.1.0.1/16", "lb.example", "*"):
            self.assertRaises(ValueError, parse_network, text)

    def test_localities(self) -> None:
        """One to three names; nothing is a locality that is not known."""
        for text in ("", "eu", "eu/a", "eu/a/1"):
            self.assertEqual(parse_locality(text), text)
        for text in ("/", "eu/", "/a", "eu//1", "eu/a/1/x", "eu/*"):
            self.assertRaises(ValueError, parse_locality, text)

    def test_header_names(self) -> None:
        """What a header may be called, in lower case."""
        self.assertEqual(parse_header_name("X-API-Key"), b"x-api-key")
        for text in ("", "a b", "a:", "b\u00fc", "a\n"):
            self.assertRaises(ValueError, parse_header_name, text)

    def test_servers(self) -> None:
        """An IPv4 or IPv6 address, alone or with a port; one of IPv6 stands in brackets before its port."""
        for text, host, port in (
            ("192.0.2.1", "192.0.2.1", 53),
            ("192.0.2.1:5353", "192.0.2.1", 5353),
            ("2001:DB8::1", "2001:db8::1", 53),
            ("[2001:db8::1]", "2001:db8::1", 53),
            ("[2001:db8::1]:5353", "2001:db8::1", 5353),
        ):
            self.assertEqual(parse_server(text, 53), TCPAddress(host, port))
        for text in (
            "",
            "ns.example",
            "192.0.2.1:",
            "192.0.2.1:0",
            "192.0.2.1:x",
            "[::1",
            "[::1]5",
            "[::1]:65536",
            ":53",
        ):
            self.assertRaises(ValueError, parse_server, text, 53)
