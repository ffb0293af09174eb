"""
The addresses of backends that are known by name.

Messages and the protocols that carry them are those of L{twisted.names.dns}. The
rest of C{twisted.names} is for programs that look a name up now and then; tried
with Twisted 26.10, it can't do what a gateway promises:

  - C{client.Resolver} takes an answer to another question for the answer, gives a
    server that refuses all its time, does not go on to the next server where one
    can't tell (SERVFAIL), asks by TCP whichever server is next where one cuts its
    answer off, and keeps that connection. There is no deadline for all of it, and a
    question that is cancelled leaves its timer. Hence C{exchange}: a socket for each
    question, connected, with a port that the kernel draws. And C{lookups}: the
    servers in their order, one kind of address that waits only so long for the
    other, only so many names at one time, a system that may never answer.
  - It reads C{nameserver} of resolv.conf, and the domains of C{search} without trying
    them; neither C{ndots} nor C{timeout} nor C{attempts}, and no nsswitch.conf.
    C{hosts.Resolver} reads its file at each look-up, on the loop, and can't tell that
    it has changed. Hence C{name_files}.
  - C{common.ResolverBase} follows aliases to one address, and does not tell how long
    it may be relied on. Hence C{answers}: all addresses, with the least time along the
    way, and whether it is sure that there are none.
  - C{cache.CacheResolver} forgets what has grown old, and the next request waits.
    Hence C{resolutions}: names are asked for again before anybody needs them, and what
    was known stays while servers are in trouble.

A forged answer is told apart by the server's address, the port, the number and the
question (RFC 5452). Names are not asked for in mixed cases (0x20), which not all
servers repeat.
"""
