"""A second authority that speaks ACME, for tests that need one: Caddy's, which suggests no renewal windows."""

from __future__ import annotations

from string import Template

from tests.acceptance.processes import AcceptanceTestCase, program

FILE = """\
{
	admin off
	auto_https disable_redirects
	skip_install_trust
	storage file_system $storage
	http_port $unused
}
https://localhost:$port {
	bind 127.0.0.1
	tls internal
	acme_server {
		lifetime 1h
		allow {
			domains *.example.com
		}
	}
}
"""


class Caddy:
    """
    An authority that asks for HTTP-01 by a proxy: it has no other way to another port than 80, and to names of ours.

    @ivar url: Of its directory.
    @ivar ca: The file with the certificate by which it is trusted itself, and what it issues.
    """

    def __init__(self, case: AcceptanceTestCase, http: int, port: int, unused: int) -> None:
        """
        @param http: The port of the proxy, in place of 80: one that answers for all names.
        @param port: One that is free; C{unused} likewise.
        """
        command = program("caddy")
        storage = case.folder / "caddy"
        config = case.folder / "Caddyfile"
        config.write_text(Template(FILE).substitute(storage=storage, port=port, unused=unused))
        proxy = f"HTTP_PROXY=http://127.0.0.1:{http}"
        self.running = case.start("env", proxy, "NO_PROXY=", command, "run", "--config", str(config))
        self.running.says("serving initial configuration")
        self.running.says("certificate obtained successfully")
        self.url = f"https://localhost:{port}/acme/local/directory"
        self.ca = storage / "pki/authorities/local/root.crt"
