from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import TCPAddress
from edgegate.upstream.dns.name_files import (
    MOST_BYTES,
    NameFiles,
    NameRules,
    parse_hosts,
    parse_nsswitch,
    parse_resolv_conf,
)

SERVER = TCPAddress("192.0.2.53", 53)


class ResolvConfTests(SynchronousTestCase):
    def test_all(self) -> None:
        """Servers, domains and options are read as the C library reads them."""
        rules = parse_resolv_conf(
            "# comment\n; another\nnameserver 192.0.2.1\nnameserver 2001:db8::53\nnameserver nonsense\n"
            "nameserver fe80::1%eth0\nsearch shop.example. Corp.Example\noptions ndots:5 timeout:3 attempts:4 rotate\n"
        )
        self.assertEqual(rules.servers, (TCPAddress("192.0.2.1", 53), TCPAddress("2001:db8::53", 53)))
        self.assertEqual(rules.search, ("shop.example", "corp.example"))
        self.assertEqual((rules.ndots, rules.timeout, rules.attempts), (5, 3, 4))

    def test_nothing(self) -> None:
        """An empty file says nothing; short names are tried in the machine's own domain."""
        self.assertEqual(parse_resolv_conf(""), NameRules())
        self.assertEqual(parse_resolv_conf("", "edge1.corp.example").search, ("corp.example",))
        self.assertEqual(parse_resolv_conf("search\n", "edge1.corp.example").search, ())

    def test_last_counts(self) -> None:
        """Of domain and search the last counts."""
        self.assertEqual(parse_resolv_conf("search a b\ndomain c\n").search, ("c",))
        self.assertEqual(parse_resolv_conf("domain c\nsearch a b\n").search, ("a", "b"))

    def test_bounds(self) -> None:
        """Three servers and bounded numbers are taken; what is no number is passed over."""
        text = "".join(f"nameserver 192.0.2.{n}\n" for n in range(9)) + "options ndots:99 timeout:99 attempts:99\n"
        rules = parse_resolv_conf(text + "search " + "x " * 500)
        self.assertEqual((len(rules.servers), rules.ndots, rules.timeout, rules.attempts), (3, 15, 30, 5))
        self.assertEqual(len(rules.search), 16)
        self.assertEqual(parse_resolv_conf("options ndots:x timeout: attempts:-1\n"), NameRules())


class CandidateTests(SynchronousTestCase):
    def names(self, name: str, ndots: int = 1) -> list[str]:
        """Return what is tried, with two domains."""
        return list(NameRules(search=("a", "b.c"), ndots=ndots).candidates(name))

    def test_short(self) -> None:
        """A name with fewer dots than ndots is tried in the domains first, then as it is."""
        self.assertEqual(self.names("web"), ["web.a", "web.b.c", "web"])
        self.assertEqual(self.names("web.shop", 5), ["web.shop.a", "web.shop.b.c", "web.shop"])

    def test_long(self) -> None:
        """A name with as many is tried as it is first."""
        self.assertEqual(self.names("web.shop"), ["web.shop", "web.shop.a", "web.shop.b.c"])

    def test_whole(self) -> None:
        """A name with the final dot is whole."""
        self.assertEqual(self.names("web."), ["web"])

    def test_too_long(self) -> None:
        """What would be too long to be a name is not tried."""
        self.assertEqual(self.names("x" * 250), ["x" * 250 + ".a", "x" * 250])


class HostsTests(SynchronousTestCase):
    def test_lines(self) -> None:
        """A name has the addresses of all its lines; comments and what is no address are passed over."""
        text = "127.0.0.1 localhost\n10.0.0.1\tweb Web.shop. # here\n::1 localhost\nx y\n# 1.1.1.1 z\n10.0.0.1 web\n\n"
        expected = {"localhost": ("127.0.0.1", "::1"), "web": ("10.0.0.1",), "web.shop": ("10.0.0.1",)}
        self.assertEqual(parse_hosts(text), expected)

    def test_any_case(self) -> None:
        """Names are found in any case, and with the final dot."""
        rules = NameRules(hosts=parse_hosts("10.0.0.1 web.shop\n"))
        self.assertEqual((rules.known("WEB.shop."), rules.known("web")), (("10.0.0.1",), ()))


class SwitchTests(SynchronousTestCase):
    def test_services(self) -> None:
        """The services of the line for hosts are found, without what follows on their outcome."""
        text = "passwd: files\nhosts:  files mdns4_minimal [NOTFOUND=return] dns # last\n"
        self.assertEqual(parse_nsswitch(text), ["files", "mdns4_minimal", "dns"])
        self.assertEqual(parse_nsswitch(""), ["files", "dns"])


class FilesTests(SynchronousTestCase):
    """The files of a folder."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.write("resolv.conf", "nameserver 192.0.2.53\n")
        self.write("hosts", "10.0.0.1 web\n")

    def write(self, name: str, text: str) -> None:
        """Write a file as an editor does."""
        new = self.folder / "new"
        new.write_text(text)
        new.replace(self.folder / name)

    def files(self, *servers: TCPAddress) -> NameFiles:
        """Read them."""
        return NameFiles("edge", servers, str(self.folder))

    def test_read(self) -> None:
        """What they say together are the rules."""
        rules = self.files().rules
        self.assertEqual((rules.servers, rules.known("web")), ((SERVER,), ("10.0.0.1",)))

    def test_changed(self) -> None:
        """A change counts once it is looked for; a file written anew as it was is none."""
        files = self.files()
        self.assertFalse(files.changed())
        self.write("hosts", "10.0.0.1 web\n")
        self.assertFalse(files.changed())
        self.write("hosts", "10.0.0.22 web\n")
        self.assertEqual(files.rules.known("web"), ("10.0.0.1",))
        self.assertTrue(files.changed())
        self.assertEqual(files.rules.known("web"), ("10.0.0.22",))
        (self.folder / "hosts").unlink()
        self.assertTrue(files.changed())
        self.assertEqual(files.rules.known("web"), ())

    def test_services(self) -> None:
        """Names are the system's where something else than hosts and DNS is asked, or comes before DNS."""
        for line, ours in (
            ("files dns", True),
            ("files mdns4_minimal [NOTFOUND=return] dns", True),
            ("mymachines resolve [!UNAVAIL=return] files myhostname dns", True),
            ("files dns ldap", True),
            ("files ldap dns", False),
            ("files", False),
            ("wins", False),
        ):
            self.write("nsswitch.conf", f"hosts: {line}\n")
            self.assertEqual(not self.files().rules.is_systems("web.shop"), ours, line)

    def test_files_after_dns(self) -> None:
        """Where hosts comes after DNS it does not win."""
        self.write("nsswitch.conf", "hosts: dns files\n")
        self.assertEqual(self.files().rules.known("web"), ())

    def test_local_names(self) -> None:
        """Names of this machine and, where that is configured, of this link are the system's."""
        self.assertTrue(self.files().rules.is_systems("localhost"))
        self.assertTrue(self.files().rules.is_systems("Web.Localhost."))
        self.assertFalse(self.files().rules.is_systems("printer.local"))
        self.write("nsswitch.conf", "hosts: files mdns4_minimal [NOTFOUND=return] dns\n")
        self.assertTrue(self.files().rules.is_systems("printer.local"))

    def test_too_long(self) -> None:
        """A file that would take long to read leaves all names to the system."""
        self.write("hosts", "#" * (MOST_BYTES + 1))
        self.assertTrue(self.files().rules.is_systems("web.shop"))

    def test_no_servers(self) -> None:
        """So does a resolv.conf without servers, or none."""
        (self.folder / "resolv.conf").unlink()
        self.assertTrue(self.files().rules.is_systems("web.shop"))

    def test_given_servers(self) -> None:
        """Given servers stand in place of the files', whatever nsswitch.conf says; hosts wins all the same."""
        self.write("nsswitch.conf", "hosts: ldap\n")
        given = TCPAddress("127.0.0.1", 5353)
        rules = self.files(given).rules
        self.assertEqual((rules.servers, rules.known("web")), ((given,), ("10.0.0.1",)))
        self.assertFalse(rules.is_systems("web.shop"))
