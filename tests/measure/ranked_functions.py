"""Functions that tests run on ranks, each in its own process."""

import atexit
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import NoReturn

from pytest_benchdb.backends.sim import OpenSim, SimBackend, SimHandle
from pytest_benchdb.interfaces import BlockingDevice
from pytest_benchdb.measure.distributed.rank_process import Rank
from pytest_benchdb.model.environment import Device

SYNTHETIC_BATCH = 16


def train(rank: Rank, steps: int) -> dict[str, object]:
    """Train a line on synthetic data; the ranks average their gradients."""
    import torch
    import torch.distributed

    torch.manual_seed(0)
    model = torch.nn.Linear(8, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    generator = torch.Generator().manual_seed(rank.rank)
    truth = torch.arange(8.0)
    for step in rank.steps(steps, warmup=1, samples_per_step=SYNTHETIC_BATCH):
        with step.data():
            inputs = torch.randn(SYNTHETIC_BATCH, 8, generator=generator)
            targets = inputs @ truth
        with step.forward():
            loss = torch.nn.functional.mse_loss(model(inputs).squeeze(1), targets)
        with step.backward():
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call, unused-ignore]
            for parameter in model.parameters():
                torch.distributed.all_reduce(parameter.grad)
                assert parameter.grad is not None
                parameter.grad /= rank.world_size
        with step.optimizer():
            optimizer.step()
        step.record("loss", loss)
    weights = torch.cat([parameter.detach().flatten() for parameter in model.parameters()])
    return {"rank": rank.rank, "weights": [round(float(weight), 4) for weight in weights]}


def count(rank: Rank, steps: int = 4, *, samples: int = 10) -> list[int]:
    """Do not need torch."""
    for step in rank.steps(steps, samples_per_step=samples):
        with step.forward():
            sum(range(100 * step.index))
    return [rank.rank, rank.world_size, rank.local_rank]


def raise_in_rank_1(rank: Rank) -> None:
    if rank.rank == 1:
        raise ValueError("boom\nand more")
    time.sleep(60)


def be_killed_in_rank_1(rank: Rank) -> None:
    if rank.rank == 1:
        sys.stderr.write("last words\n")
        sys.stderr.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def hang_in_rank_1(rank: Rank) -> None:
    if rank.rank == 1:
        sys.stderr.write("waiting for a message\n")
        sys.stderr.flush()
        threading.Event().wait()


def leave_a_phase_open(rank: Rank) -> None:
    rank.phase("load").__enter__()


def say_who_you_are(rank: Rank, path: str) -> NoReturn:
    """Write the process id to a file, and never end."""
    Path(path).write_text(f"{os.getpid()}\n", encoding="utf-8")
    threading.Event().wait()
    raise AssertionError(rank)


class Nested:
    @staticmethod
    def measure(rank: Rank) -> int:
        return rank.rank


class DoubledDevice(BlockingDevice):
    """A device of another package; its handle shows how it was opened."""

    sync_mode = "doubled"

    def __init__(self, argument: object, local_rank: int) -> None:
        super().__init__(Device(device_id="", backend="doubled", name="doubled"), f"{argument}:{local_rank}")


def tell_device(rank: Rank) -> object:
    list(rank.steps(3))
    return rank.device


def abort_at_exit(rank: Rank) -> int:
    """Return a result, and crash during interpreter shutdown."""
    atexit.register(os.abort)
    return rank.rank


def simulated_device(argument: object, local_rank: int) -> OpenSim:
    """Open the simulated device of this process."""
    del argument, local_rank
    backend = SimBackend()
    return backend.open(backend.devices()[0])


def simulate(rank: Rank) -> None:
    """Work on a simulated device whose power and memory depend on the rank."""
    device = rank.device
    assert isinstance(device, SimHandle)
    for _ in rank.steps(4, samples_per_step=4):
        device.allocate(1000 * (rank.rank + 1))
        device.work(1.0, watts=300 + 100 * rank.rank)
        device.free(1000 * (rank.rank + 1))
    with rank.phase("a"):
        device.work(3.0, watts=500)
