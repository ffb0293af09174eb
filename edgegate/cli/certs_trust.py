"""C{edgegate certs trust}: the roots of local authorities, and how programs and systems are told to trust them."""

from __future__ import annotations

import hashlib
import shlex
import sys

import click
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from edgegate.cli.managed_certificates import certificates_of_files, told
from edgegate.config.report import report
from edgegate.model.certificates import CertificateIssuer, LocalAuthority
from edgegate.routing.snapshot import Snapshot
from edgegate.sources.loading import load
from edgegate.sources.named import source_named
from edgegate.tls.acme.store import CertificateStore
from edgegate.tls.authority import certificate_pem
from edgegate.tls.secrets import BadKeyMaterial, load_certificates

HOW = """\
To trust it, write it to a file, which is not secret:

  edgegate certs trust --config {config} -o pem >{file}

One program alone is told by name:

  curl --cacert {file} https://{host}/

All programs of a system, by its administrator:

  Debian, Ubuntu   sudo cp {file} /usr/local/share/ca-certificates/{name}.crt
                   sudo update-ca-certificates
  Fedora, RHEL     sudo cp {file} /etc/pki/ca-trust/source/anchors/{name}.pem
                   sudo update-ca-trust
  macOS            sudo security add-trusted-cert -d -r trustRoot \\
                       -k /Library/Keychains/System.keychain {file}
  Windows          certutil -addstore -f Root {file}

Chromium and Chrome on Linux have a list of their own for each user (certutil is in libnss3-tools, nss-tools):

  certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n {name} -i {file}

Firefox has one in each profile. On macOS and Windows it takes the system's too (about:config,
security.enterprise_roots.enabled). Elsewhere:

  certutil -d sql:PROFILE -A -t C,, -n {name} -i {file}

Who trusts it trusts whoever can read the storage, for all hosts: trust that of your own machine alone, and take it away
when it is no longer needed (remove the file and do the second step again; certutil -D -n {name}).
"""


@click.command("trust")
@certificates_of_files
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "pem"]),
    default="text",
    show_default=True,
    help="What to do, or the certificates alone.",
)
def trust(config: str, output: str, selector: dict[str, str], certificate_issuer: str | None) -> None:
    """
    Tell how to trust the local authorities of files.

    A CertificateIssuer with `local` signs certificates by a root of its own,
    which is in its storage and which no program knows. With `-o pem` this is
    the root's certificate; without it how systems and browsers are told.
    """
    loaded = load(source_named(config), selector or None, certificate_issuer=certificate_issuer)
    if loaded.snapshot is None:
        report(loaded.problems, sys.stderr, "nothing to trust")
        raise SystemExit(1)
    hosts = _hosts(loaded.snapshot)
    if not hosts:
        raise click.ClickException("no server has its certificates from a CertificateIssuer with spec.local")
    for number, (issuer, host) in enumerate(hosts.items()):
        root = _root(issuer)
        if output == "pem":
            click.echo(certificate_pem(root).decode("ascii"), nl=False)
        else:
            click.echo("\n" * (number > 0) + _words(issuer, root, config, host), nl=False)


def _hosts(snapshot: Snapshot) -> dict[CertificateIssuer, str]:
    """Return the local authorities, each with a host that it issues a certificate for, and its port."""
    certificates = {each.credential: each for each in snapshot.certificates}
    rules = {each.issuer.name: each for each in snapshot.on_demand}
    found: dict[CertificateIssuer, str] = {}
    for listener in snapshot.listeners:
        number = getattr(listener.bind, "port", 443)
        port = "" if number == 443 else f":{number}"
        for chain in listener.chains():
            if chain.tls is None:
                continue
            known = [certificates[each] for each in chain.tls.credentials if each in certificates]
            issued = [(each.issuer, each.host) for each in known]
            if chain.tls.on_demand in rules:
                asked = rules[chain.tls.on_demand]
                issued.append((asked.issuer, (*asked.allow, "HOST")[0]))
            for issuer, host in issued:
                if isinstance(issuer.authority, LocalAuthority):
                    found.setdefault(issuer, host.replace("*", "app", 1) + port)
    return found


def _root(issuer: CertificateIssuer) -> x509.Certificate:
    try:
        kept = CertificateStore(issuer).root()
        if kept is None:
            raise click.ClickException(
                f"{issuer.name} has no root yet: it is made with the first certificate, by a gateway that serves these "
                "files or by edgegate certs issue"
            )
        return load_certificates(kept.chain, kept.name)[0]
    except OSError as error:
        raise click.ClickException(told(error)) from error
    except BadKeyMaterial as error:
        raise click.ClickException(str(error)) from error


def _words(issuer: CertificateIssuer, root: x509.Certificate, config: str, host: str) -> str:
    digest = hashlib.sha256(root.public_bytes(Encoding.DER)).hexdigest().upper()
    common = root.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    called = str(common[0].value) if common else issuer.name
    fingerprint = ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))
    name = f"edgegate-{digest[:8].lower()}"
    how = HOW.format(config=shlex.quote(config), file="ca.pem", host=host, name=name)
    return (
        f"{called} (CertificateIssuer {issuer.name})\n"
        f"valid until {root.not_valid_after_utc:%Y-%m-%d}, SHA-256 {fingerprint}\n\n{how}"
    )
