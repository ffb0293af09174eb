"""
What RFC 9113 and RFC 7541 ask of a server, case by case, said to a real one over a socket.

L{generic}, L{connections}, L{frames}, L{requests} and L{compression} have the
cases that the public suite h2spec has, L{newer} and L{newer_requests}
those of rules that are younger than it. L{exchange} runs them.
"""
