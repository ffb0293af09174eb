"""
Several processes that serve the same files: C{--workers N}.

The supervisor, which is the process that C{twistd} runs, owns the listening sockets and decides; it reads no files and
serves nobody. A zygote reads the files, makes OpenSSL's contexts, and forks workers, which share its memory, its
listening sockets and the keys of its session tickets. For new files it forks the next zygote, and the workers of that
take over: one generation after the other.
"""
