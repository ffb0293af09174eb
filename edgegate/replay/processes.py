"""Pieces of logs given out to several processes."""

from __future__ import annotations

import gc
import pickle
import signal
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from typing import Any

from edgegate.replay.findings import Tally
from edgegate.replay.log_file import Piece
from edgegate.replay.worker import Worker


class WorkerEnded(Exception):
    """A process has ended before its time."""


def replayed(pieces: Iterable[Piece], worker: Worker, jobs: int, progress: Callable[[int], None]) -> Tally:
    """
    Replay all pieces.

    @param worker: Does it, in this process or in forks of it, which share what it has loaded.
    @param jobs: How many processes; 1: this one.
    @param progress: Is told how many bytes of the logs are done with each piece.
    @raise OSError: A log can't be read.
    @raise WorkerEnded: A process has ended, as by a signal.
    """
    if jobs == 1:
        for piece in pieces:
            worker.replay(piece)
            progress(piece.done)
        return worker.tally
    gc.freeze()
    workers: list[tuple[ForkProcess, Connection]] = []
    try:
        for _ in range(jobs):
            workers.append(_forked(worker, [connection for _, connection in workers]))
        _give_out(iter(pieces), [connection for _, connection in workers], progress)
        return _collected([connection for _, connection in workers])
    except (EOFError, ConnectionError):
        raise WorkerEnded("a process of the replay has ended before its time") from None
    finally:
        for process, connection in workers:
            connection.close()
            process.terminate()
            process.join()
        gc.unfreeze()


def _forked(worker: Worker, others: list[Connection]) -> tuple[ForkProcess, Connection]:
    context = get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(worker, theirs, [ours, *others]), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def _work(worker: Worker, connection: Connection, others: list[Connection]) -> None:
    """Ask for pieces until there are no more, then tell what was found: the life of a process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for other in others:
        # the end of the process that it belongs to would not be noticed
        other.close()
    done = 0
    while True:
        connection.send(done)
        piece = _received(connection)
        if piece is None:
            break
        try:
            worker.replay(piece)
        except OSError as error:
            connection.send(error)
            return
        done = piece.done
    connection.send(worker.tally)


def _give_out(pieces: Iterator[Piece], connections: list[Connection], progress: Callable[[int], None]) -> None:
    """Give each process a piece when it asks for one. One is read ahead meanwhile."""
    asking = list(connections)
    ahead = next(pieces, None)
    while asking:
        for connection in wait(asking):
            assert isinstance(connection, Connection)
            told = _received(connection)
            if isinstance(told, OSError):
                raise told
            progress(told)
            connection.send(ahead)
            if ahead is None:
                asking.remove(connection)
            else:
                ahead = next(pieces, None)


def _received(connection: Connection) -> Any:
    """Return what the other side has sent, as C{Connection.recv} does."""
    return pickle.loads(connection.recv_bytes())


def _collected(connections: list[Connection]) -> Tally:
    tally = Tally()
    for connection in connections:
        found = _received(connection)
        if isinstance(found, OSError):
            raise found
        tally.add(found)
    return tally
