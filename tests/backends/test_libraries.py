import pytest

from pytest_benchdb.backends.libraries import find_position, with_ids, without_none
from pytest_benchdb.errors import BackendUnavailableError
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.identity import content_id

A100 = Device(device_id="", backend="cuda", name="A100", uuid="GPU-a")
TWIN = Device(device_id="", backend="openvino", name="Intel Arc A770")


def test_ids_are_content_hashes_whatever_the_order() -> None:
    other = Device(device_id="", backend="cuda", name="A100", uuid="GPU-b")

    forward, backward = with_ids([A100, other]), with_ids([other, A100])

    assert forward == backward[::-1]
    assert forward[0].device_id == content_id("cuda", "A100", "GPU-a")


def test_ids_of_twins_without_uuid_differ_and_the_first_keeps_its_own() -> None:
    first, second = with_ids([TWIN, TWIN])

    assert first.device_id == content_id("openvino", "Intel Arc A770", None)
    assert second.device_id != first.device_id


def test_find_position_of_a_missing_device_lists_the_present_ones() -> None:
    present = with_ids([A100])

    assert find_position(present[0], present) == 0
    with pytest.raises(BackendUnavailableError, match=r"openvino: Intel Arc A770 is not here; there is cuda:0 A100"):
        find_position(with_ids([TWIN])[0], present)
    with pytest.raises(BackendUnavailableError, match="there is no device"):
        find_position(present[0], [])


def test_without_none_leaves_out_none_and_nothing_else() -> None:
    assert without_none(a=None, b=0, c=False, d="") == {"b": 0, "c": False, "d": ""}
