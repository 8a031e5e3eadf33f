from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_benchdb.environment.machine.container import container, hypervisor, product

WriteTree = Callable[[dict[str, str]], Path]
DMI = "sys/class/dmi/id"
CLOCKS = "sys/devices/system/clocksource/clocksource0/available_clocksource"


@pytest.mark.parametrize(
    ("files", "cpu_says_virtual", "kind"),
    [
        ({f"{DMI}/sys_vendor": "QEMU\n"}, True, "kvm"),
        ({f"{DMI}/sys_vendor": "Amazon EC2\n", f"{DMI}/product_name": "c7i.large\n"}, True, "kvm"),
        ({f"{DMI}/sys_vendor": "Amazon EC2\n", f"{DMI}/product_name": "c7i.metal-24xl\n"}, False, None),
        ({f"{DMI}/sys_vendor": "Amazon EC2\n", f"{DMI}/product_name": "c7g.metal\n"}, None, None),
        ({f"{DMI}/sys_vendor": "Amazon EC2\n", f"{DMI}/product_name": "c7g.large\n"}, None, "kvm"),
        ({f"{DMI}/sys_vendor": "Microsoft Corporation\n", f"{DMI}/product_name": "Surface\n"}, False, None),
        ({f"{DMI}/sys_vendor": "Microsoft Corporation\n"}, True, "hyperv"),
        ({f"{DMI}/sys_vendor": "VMware, Inc.\n"}, True, "vmware"),
        ({f"{DMI}/sys_vendor": "Dell Inc.\n"}, False, None),
        ({CLOCKS: "kvm-clock tsc acpi_pm\n"}, True, "kvm"),
        ({"sys/hypervisor/type": "xen\n"}, True, "xen"),
        ({"proc/device-tree/hypervisor/compatible": "linux,kvm\0"}, None, "kvm"),
        ({"proc/sys/kernel/osrelease": "5.15.153.1-microsoft-standard-WSL2\n"}, True, "wsl"),
        ({}, True, "vm"),
        ({}, None, None),
        ({}, False, None),
    ],
)
def test_hypervisor_is_told_by_what_it_leaves(
    write_tree: WriteTree, files: dict[str, str], *, cpu_says_virtual: bool | None, kind: str | None
) -> None:
    assert hypervisor(write_tree(files), cpu_says_virtual=cpu_says_virtual) == kind


@pytest.mark.parametrize(
    ("files", "environ", "kind"),
    [
        ({".dockerenv": ""}, {}, "docker"),
        ({"run/.containerenv": ""}, {}, "podman"),
        ({"proc/self/cgroup": "0::/kubepods/burstable/pod1\n", ".dockerenv": ""}, {}, "kubernetes"),
        ({}, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "kubernetes"),
        ({"run/systemd/container": "systemd-nspawn\n"}, {}, "systemd-nspawn"),
        ({"proc/self/cgroup": "1:cpu:/lxc/web\n"}, {}, "lxc"),
        ({}, {"container": "podman"}, "podman"),
        ({"proc/self/cgroup": "0::/user.slice\n"}, {}, None),
        ({}, {}, None),
    ],
)
def test_container_is_told_by_what_it_leaves(
    write_tree: WriteTree, files: dict[str, str], environ: dict[str, str], kind: str | None
) -> None:
    assert container(write_tree(files), environ) == kind


def test_product_joins_vendor_and_name(write_tree: WriteTree) -> None:
    root = write_tree({f"{DMI}/sys_vendor": "LENOVO\n", f"{DMI}/product_name": "21HM\n"})

    assert product(root) == "LENOVO 21HM"
