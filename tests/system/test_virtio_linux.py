"""Debian's unmodified kernel and its own drivers on the devices that a VM can have, in two VMs of one boot."""
import pytest
from linux_vms import LinuxVms, vm

MANIFEST = vm("one", "cpus = [0]\n") + vm("two", "cpus = [1]\n")
DRIVERS = {"virtio_blk", "virtio_net", "virtio_console", "virtio_rng", "virtio_balloon", "vmw_vsock_virtio_transport"}
pytestmark = [pytest.mark.slow,
              pytest.mark.boot(cpus=2, memory=1024, firmware="bios", manifest=MANIFEST, devices=True)]


@pytest.fixture(scope="module")
def kept():
    return {}


@pytest.fixture
def linux(boot, kept):
    if kept.get("boot") is not boot:
        kept["boot"], kept["linux"] = boot, LinuxVms(boot)
        kept["linux"].ready("one", "two")
    return kept["linux"]


class TestTwoLinuxVms:
    @pytest.mark.parametrize("name", ["one", "two"])
    def test_each_has_the_kernels_drivers(self, linux, name):
        assert DRIVERS <= set(linux.ask(name, "ls -d /sys/bus/pci/drivers/virtio-pci && ls /sys/bus/virtio/drivers").split())

    def test_the_bridges_are_the_q35s(self, linux):
        functions = linux.ask("one", "cd /sys/bus/pci/devices; for f in *; do echo $f $(cat $f/vendor $f/device); done; cd")
        assert functions.splitlines()[0] == "0000:00:00.0 0x8086 0x29c0"
        assert functions.splitlines()[-1] == "0000:00:1f.0 0x8086 0x2918"

    def test_mke2fs_runs(self, linux):
        linux.ask("one", "dd if=/dev/zero of=/tmp/disk bs=1M count=8 && mkfs.ext4 -q -F /tmp/disk && rm /tmp/disk")
