import sys
import threading
import time
from collections.abc import Sequence

import pluggy
import pytest

from pytest_benchdb import hookspecs
from pytest_benchdb.errors import BackendUnavailableError, ConfigError
from pytest_benchdb.interfaces import Backend, Importer
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.reading import Probe
from pytest_benchdb.registry import Registry, call_with_limit, find_importers

hookimpl = pluggy.HookimplMarker("pytest")


class Opened:
    def __init__(self, device: Device) -> None:
        self.device = device
        self.closed = 0

    def close(self) -> None:
        self.closed += 1
        raise OSError("gone already")


class Toy:
    """A backend of so many devices, which counts what it is asked."""

    provenance: Provenance = "measured"

    def __init__(self, name: str, devices: int = 1, reason: str | None = None) -> None:
        self.name = name
        self.probes = 0
        self.opened: list[Opened] = []
        self._count = devices
        self._reason = reason

    def probe(self) -> Probe:
        self.probes += 1
        return Probe(available=self._reason is None, reason=self._reason)

    def devices(self) -> Sequence[Device]:
        return [Device(device_id=f"{self.name}-{n}", backend=self.name, name=f"Toy {n}") for n in range(self._count)]

    def open(self, device: Device) -> Opened:
        self.opened.append(Opened(device))
        return self.opened[-1]


def registry(*builtin: Toy, provided: Sequence[object] = (), limit_s: float = 5.0) -> Registry:
    manager = pluggy.PluginManager("pytest")
    manager.add_hookspecs(hookspecs)
    for number, plugin in enumerate(provided):
        manager.register(plugin, f"package{number}")
    made = Registry(manager, builtin, limit_s=limit_s)  # type: ignore[arg-type]
    made.load()
    return made


def package(*backends: object) -> object:
    class Plugin:
        @hookimpl
        def pytest_benchdb_backends(self) -> Sequence[Backend]:
            return list(backends)  # type: ignore[arg-type]

    return Plugin()


def test_registry_takes_the_backends_of_packages_beside_its_own() -> None:
    loaded = registry(Toy("cpu"), provided=[package(Toy("hpu", 2))])

    assert loaded.names == ("cpu", "hpu")
    assert loaded.open(loaded.parse("hpu:1")).device.name == "Toy 1"


def test_registry_asks_and_opens_once_and_closes_what_raises() -> None:
    toy = Toy("cpu")
    loaded = registry(toy)

    first, second = loaded.open(loaded.parse("cpu")), loaded.open(loaded.parse("cpu:0"))
    loaded.close()

    assert first is second
    assert toy.probes == 1
    assert [opened.closed for opened in toy.opened] == [1]


def test_registry_refuses_two_claims_of_one_name() -> None:
    with pytest.raises(ConfigError, match="'cpu' is claimed by pytest-benchdb and by package0; remove one"):
        registry(Toy("cpu"), provided=[package(Toy("cpu"))])


@pytest.mark.parametrize("name", ["My GPU", "", "GPU", "3d"])
def test_registry_leaves_out_a_backend_whose_name_makes_no_fixture(name: str) -> None:
    loaded = registry(Toy("cpu"), provided=[package(Toy(name))])

    assert loaded.names == ("cpu",)
    assert "names must be lower-case letters" in loaded.disabled["package0"]


def test_registry_leaves_out_a_package_that_raises_and_keeps_the_others() -> None:
    class Broken:
        @hookimpl
        def pytest_benchdb_backends(self) -> Sequence[Backend]:
            raise RuntimeError("no licence")

    loaded = registry(Toy("cpu"), provided=[Broken(), package(Toy("hpu"))])

    assert loaded.names == ("cpu", "hpu")
    assert loaded.disabled == {"package0": "left out, because it raised RuntimeError: no licence"}


def test_registry_leaves_out_a_backend_that_raises_exits_or_hangs() -> None:
    class Raising(Toy):
        def probe(self) -> Probe:
            raise OSError("driver")

    class Exiting(Toy):
        def probe(self) -> Probe:
            sys.exit("licence expired")

    class Hanging(Toy):
        def probe(self) -> Probe:
            time.sleep(5)
            return Probe(available=True)

    loaded = registry(Raising("a"), Exiting("b"), Hanging("c"), Toy("d"), limit_s=0.05)

    assert loaded.probe("a") == Probe(available=False, reason="left out, because it raised OSError: driver")
    assert loaded.probe("b").reason == "left out, because it raised SystemExit: licence expired"
    assert loaded.probe("c").reason == "left out, because it gave no answer within 0.05 s"
    assert loaded.probe("d").available
    with pytest.raises(BackendUnavailableError, match="a: left out, because it raised OSError: driver"):
        loaded.open(loaded.parse("a"))


def test_bounded_swallows_what_a_provider_prints(capsys: pytest.CaptureFixture[str]) -> None:
    def answer() -> int:
        sys.stdout.write("Welcome to the SDK\n")
        return threading.active_count()

    assert call_with_limit(answer, 5.0)[1] is None
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("text", "words"),
    [("gpu", "backend 'gpu' is unknown; known are cpu, cuda"), ("cuda:x", "'x' is not the number of a device")],
)
def test_registry_refuses_a_name_that_means_nothing(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        registry(Toy("cpu"), Toy("cuda")).parse(text)

    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("toy", "text", "words"),
    [
        (Toy("cuda", 2), "cuda:2", "cuda:2: cuda has 2 devices here"),
        (Toy("cuda", 0), "cuda", "cuda: cuda has no device here"),
        (Toy("cuda", reason="torch is not installed"), "cuda", "cuda: torch is not installed"),
    ],
)
def test_registry_says_why_a_device_is_not_there(toy: Toy, text: str, words: str) -> None:
    loaded = registry(toy)

    with pytest.raises(BackendUnavailableError) as caught:
        loaded.open(loaded.parse(text))

    assert str(caught.value) == words


def test_registry_selects_the_hardware_that_is_there_by_itself() -> None:
    sim = Toy("sim")
    sim.provenance = "simulated"
    loaded = registry(Toy("cpu"), Toy("cuda", 2), Toy("xpu", reason="none"), Toy("openvino"), sim)

    assert [name.text for name in loaded.select(())] == ["cpu", "cuda", "cuda:1"]
    assert [name.text for name in loaded.select(["sim", "auto", "cuda"])] == ["sim", "cpu", "cuda", "cuda:1"]
    assert loaded.provenance("sim") == "simulated"


class Reader:
    def __init__(self, name: object) -> None:
        self.name = name


def importing(*importers: object) -> object:
    class Plugin:
        @hookimpl
        def pytest_benchdb_importers(self) -> Sequence[Importer]:
            return list(importers)  # type: ignore[arg-type]

    return Plugin()


def test_registry_takes_the_importers_of_packages_beside_its_own() -> None:
    loaded = registry(provided=[importing(Reader("asv-2"))])

    assert list(loaded.importers([Reader("csv")])) == ["csv", "asv-2"]  # type: ignore[list-item]


def test_registry_refuses_two_importers_of_one_name() -> None:
    loaded = registry(provided=[importing(Reader("csv"))])

    with pytest.raises(ConfigError, match="'csv' is claimed by pytest-benchdb and by package0; remove one"):
        loaded.importers([Reader("csv")])  # type: ignore[list-item]


@pytest.mark.parametrize("name", ["My Format", "", "auto", None, "-x"])
def test_registry_leaves_out_an_importer_whose_name_cannot_be_typed(name: object) -> None:
    loaded = registry(provided=[importing(Reader(name))])

    assert loaded.importers([]) == {}
    assert "names must be lower-case letters" in loaded.disabled["package0"]


def test_registry_leaves_out_importers_of_a_package_that_raises_and_keeps_the_others() -> None:
    class Broken:
        @hookimpl
        def pytest_benchdb_importers(self) -> Sequence[Importer]:
            raise RuntimeError("no licence")

    loaded = registry(provided=[Broken(), importing(Reader("asv"))])

    assert list(loaded.importers([])) == ["asv"]
    assert loaded.disabled == {"package0": "left out, because it raised RuntimeError: no licence"}


def test_find_importers_knows_the_built_in_ones() -> None:
    loaded, left_out = find_importers()

    assert {"pytest-benchmark", "csv", "parquet"} <= set(loaded)
    assert left_out == {}
