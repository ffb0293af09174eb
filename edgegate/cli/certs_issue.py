"""C{edgegate certs issue} and C{renew}: have certificates issued now, in this process."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from functools import partial

import click

from edgegate.cli.managed_certificates import (
    certificates_of_files,
    check_user,
    chosen,
    managed_certificates,
    once_free,
    time_of,
    told,
)
from edgegate.model.certificates import ManagedCertificate
from edgegate.tls.acme.care import Care, Kept
from edgegate.tls.acme.keeper import MOST_AT_ONCE
from edgegate.tls.acme.life import BEGUN, Action, Record, Step


class Outcome(Enum):
    """What became of a certificate."""

    ISSUED = "issued"
    RENEWED = "renewed"
    KEPT = "kept"
    PUT_OFF = "put off"
    FAILED = "failed"

    @property
    def well(self) -> bool:
        """Whether there is what was asked for."""
        return self not in (Outcome.PUT_OFF, Outcome.FAILED)


@dataclass(frozen=True, slots=True)
class Done:
    """
    What was done about a certificate.

    @ivar until: The end of the one that there is, in seconds since the epoch; L{None}: there is none.
    @ivar next: When something is done for it next; 0: nothing is known of that.
    @ivar reason: Why there is not what was asked for.
    """

    certificate: ManagedCertificate
    outcome: Outcome
    until: float | None
    next: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """
    What somebody asks for.

    @ivar renewal: Of what is due; else of what is not there, has ended, or was revoked.
    @ivar force: Also of what is not due.
    @ivar now: Also where a try that has failed puts off the next one.
    """

    renewal: bool
    force: bool
    now: bool

    def wants(self, found: Kept, action: Action, renewal: float, now: float) -> bool:
        """
        Return whether a certificate is to be issued, if nothing has failed before.

        @param renewal: When it is due.
        """
        if found.pair is None or found.record.end <= now or found.record.revoked:
            return True
        return self.renewal and (self.force or action.step is Step.ISSUE or renewal <= now)


_output = click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
_now = click.option("--now", is_flag=True, help="Try also what is put off since the last try has failed.")


@click.command("issue")
@click.argument("hosts", metavar="[HOST]...", nargs=-1)
@certificates_of_files
@_now
@_output
def issue(
    hosts: tuple[str, ...],
    config: str,
    selector: dict[str, str],
    certificate_issuer: str | None,
    now: bool,
    output: str,
) -> None:
    """
    Issue the certificates that are missing, of all hosts or of those named.

    The authority is asked by this command, as the gateway's user should; a
    gateway with the same storage serves what comes of it within seconds. For
    HTTP-01 and TLS-ALPN-01 it has to be running: it answers the authority.
    DNS-01 needs none.

    What was tried in vain is put off, as `edgegate certs list` shows, unless
    you say --now: authorities have limits. The exit status is 1 where a
    certificate is missing afterwards.
    """
    certificates = managed_certificates(config, selector, certificate_issuer, "nothing is issued")
    _do(chosen(certificates, hosts) if hosts else certificates, Wish(renewal=False, force=False, now=now), output)


@click.command("renew")
@click.argument("hosts", metavar="[HOST]...", nargs=-1)
@certificates_of_files
@click.option("--all", "every", is_flag=True, help="Of all hosts.")
@click.option("--force", is_flag=True, help="Renew also what is not due: authorities have limits for it.")
@_now
@_output
def renew(
    hosts: tuple[str, ...],
    config: str,
    selector: dict[str, str],
    certificate_issuer: str | None,
    every: bool,
    force: bool,
    now: bool,
    output: str,
) -> None:
    """
    Renew the certificates that are due, of the hosts named or of --all.

    A gateway does so by itself; this is for when it can't wait, or should be
    seen. What is missing is issued. Those that were issued on demand have to be
    named: what nobody needs ends. Everything else is as with `issue`.
    """
    if bool(hosts) == every:
        raise click.UsageError("name the hosts whose certificates are to be renewed, or say --all")
    certificates = managed_certificates(config, selector, certificate_issuer, "nothing is renewed", on_demand=not every)
    _do(certificates if every else chosen(certificates, hosts), Wish(renewal=True, force=force, now=now), output)


def issue_one(
    certificate: ManagedCertificate,
    wish: Wish,
    tell: Callable[[str], None],
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], object] = time.sleep,
) -> Done:
    """
    Do what somebody asks for, for one certificate. It waits for the authority, and for others who ask for the same.

    @param tell: Is told what is being done.
    """
    try:
        return _done(Care(certificate, clock), wish, tell, clock, sleep)
    except OSError as error:
        return Done(certificate, Outcome.FAILED, None, 0.0, told(error))


class _Try:
    """
    What decides whether a certificate is asked for, once nobody else is at it.

    @ivar before: What there was before.
    @ivar waited: Whether somebody else was at it.
    @ivar made: Whether it was asked for.
    """

    def __init__(self, before: Kept, wish: Wish, care: Care, clock: Callable[[], float]) -> None:
        self.before = before
        self.waited = False
        self.made = False
        self._wish = wish
        self._care = care
        self._clock = clock

    def puts_off(self, record: Record) -> bool:
        """Whether what has failed is a reason to wait."""
        return record.failures > 0 and self._care.put_off(record) > self._clock() and not self._wish.now

    def wanted(self, found: Kept) -> bool:
        """Decide; what somebody else has got meanwhile will do, and what failed for that one is not tried again."""
        failed = self.waited and found.record.failures > 0 and found.record.error != BEGUN
        self.made = found.pair == self.before.pair and not failed and not self.puts_off(found.record)
        return self.made

    def outcome(self, after: Kept) -> Outcome:
        """Return what became of it."""
        if after.pair != self.before.pair:
            return Outcome.ISSUED if self.before.pair is None else Outcome.RENEWED
        return Outcome.FAILED if self.made or self.waited else Outcome.PUT_OFF


def _done(
    care: Care, wish: Wish, tell: Callable[[str], None], clock: Callable[[], float], sleep: Callable[[float], object]
) -> Done:
    certificate, (found, action), now = care.certificate, care.look(), clock()
    before = found.record
    until = before.end if found.pair is not None else None
    renewal = care.renewal(before)
    if not wish.wants(found, action, renewal, now):
        return Done(certificate, Outcome.KEPT, until, max(renewal, before.not_before))
    trying = _Try(found, wish, care, clock)
    # one that was begun may be under way
    if before.error != BEGUN and trying.puts_off(before):
        return Done(certificate, Outcome.PUT_OFF, until, before.not_before, before.error)

    def waits() -> None:
        trying.waited = True
        tell(f"{certificate.host}: waiting for another process that is at it")

    tell(f"{certificate.host}: asking {certificate.issuer.name}")
    after = once_free(partial(care.issue, trying.wanted), waits, clock, sleep)
    if after is None:
        return Done(certificate, Outcome.FAILED, until, 0.0, "another process is at it, and does not end")
    outcome = trying.outcome(after)
    if outcome.well:
        return Done(certificate, outcome, after.record.end, care.renewal(after.record))
    return Done(certificate, outcome, until, after.record.not_before, after.record.error)


def _do(certificates: Collection[ManagedCertificate], wish: Wish, output: str) -> None:
    """Do what is asked for, tell of it as it comes, and end with status 1 where one has failed."""
    check_user(certificates)
    tell = partial(click.echo, err=True)
    done = []
    for each in _all(certificates, lambda certificate: issue_one(certificate, wish, tell)):
        done.append(each)
        if output == "text":
            click.echo(line(each), err=not each.outcome.well)
    if output == "json":
        click.echo(json.dumps([row(each) for each in done], indent=2))
    elif not done:
        click.echo("no certificate is issued: no server has a credentialName that no Secret provides, and an issuer")
    if not all(each.outcome.well for each in done):
        raise SystemExit(1)


def _all(certificates: Collection[ManagedCertificate], do: Callable[[ManagedCertificate], Done]) -> Iterator[Done]:
    """Do something for all, for some at one time. Who interrupts it has what is under way end, and nothing begin."""
    with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
        futures = [pool.submit(do, each) for each in certificates]
        try:
            for future in futures:
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            click.echo("what is under way is ended first", err=True)
            raise


def line(done: Done) -> str:
    """Return what there is to say of one, for people."""
    certificate, outcome = done.certificate, done.outcome
    host, issuer = certificate.host, certificate.issuer.name
    until = "" if done.until is None else f", until {time_of(done.until)}"
    after = time_of(done.next) if done.next else ""
    if outcome is Outcome.KEPT:
        return f"{host}: there is one by {issuer}{until}; it is renewed at {after}"
    if outcome.well:
        return f"{host}: {outcome.value} by {issuer}{until}"
    place = f"{certificate.origin}: {host}"
    if outcome is Outcome.PUT_OFF:
        return f"{place}: put off until {after} (--now does not wait), since by {issuer} there was none: {done.reason}"
    parts = [f"{place}: no certificate by {issuer}: {done.reason}"]
    if _is_unseen(done.reason):
        parts.append("is a gateway running that has this storage, and does the name lead to it?")
    if after:
        parts.append(f"a gateway tries again at {after}")
    return "; ".join(parts)


def row(done: Done) -> dict[str, str | int | None]:
    """Return what there is to say of one, for programs."""
    origin = done.certificate.origin
    return {
        "host": done.certificate.host,
        "issuer": done.certificate.issuer.name,
        "outcome": done.outcome.value,
        "until": None if done.until is None else time_of(done.until),
        "next": time_of(done.next) if done.next else None,
        "error": done.reason or None,
        "file": origin.file,
        "line": origin.line,
    }


def _is_unseen(reason: str) -> bool:
    """Whether the authority has asked for a challenge, and nobody has answered (RFC 8555 section 6.7)."""
    return ":error:connection" in reason or ":error:incorrectResponse" in reason
