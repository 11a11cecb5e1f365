"""Processes beside this one that share its batches: started before training, gone after it, and writing nothing."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

import torch
import torch.distributed as dist
from lightning_fabric import Fabric

from benchmark.config import catalog
from benchmark.config.schema import Config
from benchmark.training.device import Place
from benchmark.training.ranks import RankLost, Ranks

Work = Callable[[Config, Place, Connection], None]  # of a helper, which says through the connection that it is ready
SET = ("MASTER_ADDR", "MASTER_PORT", "OMP_NUM_THREADS")  # by fabric, in the environment


@contextmanager
def helped(work: Work, config: Config, fabric: Fabric, ranks: Ranks, place: Place) -> Iterator[None]:
    """Have a helper on each device but the first, as long as a block lasts; none where there is one device.

    A block that ends as it should lets them go by telling them None; after any other end they are killed, wherever they
    are: nothing of theirs lies on the disk. Raises RankLost where one does not get ready.
    """
    if ranks.count == 1:
        yield
        return
    helpers: list[SpawnProcess] = []
    before, threads = dict(os.environ), torch.get_num_threads()
    try:
        waiting = []
        for rank in range(1, ranks.count):
            helper, ready = _start(work, config, Place(rank, place.main_port))
            helpers.append(helper)
            waiting.append(ready)
        for rank, ready in enumerate(waiting, start=1):
            _await(rank, ready)
        ranks.meet(fabric)
        yield
        ranks.told(None)
        for helper in helpers:
            helper.join()
    finally:
        for helper in helpers:
            helper.kill()
            helper.join()
        if dist.is_initialized():
            dist.destroy_process_group()
        for name in set(SET) - before.keys():
            os.environ.pop(name, None)
        torch.set_num_threads(threads)


def _start(work: Work, config: Config, place: Place) -> tuple[SpawnProcess, Connection]:
    context = multiprocessing.get_context("spawn")
    ready, says_ready = context.Pipe(duplex=False)
    helper = context.Process(target=_help, args=(work, config, place, says_ready), name=f"device {place.rank}")
    helper.start()
    says_ready.close()  # here, so that the end of the helper is seen
    return helper, ready


def _await(rank: int, ready: Connection) -> None:
    try:
        ready.recv()
    except EOFError as error:
        raise RankLost(f"process {rank} ended before it was ready; see what it said") from error


def _help(work: Work, config: Config, place: Place, ready: Connection) -> None:
    """Be a helper: the first process alone decides when all of them stop."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    catalog.load_with(config.files)
    with suppress(RankLost):  # the first process has ended, and says why if it can
        work(config, place, ready)
