"""Debian's unmodified kernel and its own drivers on the devices that a VM can have. One boot: `pins` may not use MSI-X, `old` knows
neither ACPI nor a local APIC."""
import re

import pytest
from linux_vms import LinuxVms, vm

SMALL = 'cpus = [1]\ndisk = [{ size = "16M", mode = "cow" }]\n'
MANIFEST = (vm("one", """cpus    = [0]
disk    = [{ size = "96M", mode = "cow", serial = "first" }]
""", memory="192M") +
            vm("pins", SMALL, memory="96M", cmdline="pci=nomsi") + vm("old", SMALL, memory="96M", cmdline="acpi=off pci=nomsi"))
MIB = 64
DRIVERS = {"virtio_blk", "virtio_net", "virtio_console", "virtio_rng", "virtio_balloon", "vmw_vsock_virtio_transport"}
TICKS = 20_000_000_000
pytestmark = [pytest.mark.slow,
              pytest.mark.boot(cpus=2, memory=1536, firmware="bios", manifest=MANIFEST, devices=True)]


@pytest.fixture(scope="module")
def kept():
    return {}


@pytest.fixture
def linux(boot, kept):
    if kept.get("boot") is not boot:
        kept["boot"], kept["linux"] = boot, LinuxVms(boot)
        kept["linux"].ready("one", "pins", "old")
    return kept["linux"]


def interrupts(linux, name, pattern):
    """The lines of /proc/interrupts with that pattern."""
    return linux.ask(name, f"grep -e '{pattern}' /proc/interrupts").splitlines()


class TestMachine:
    @pytest.mark.parametrize("name", ["one", "pins"])
    def test_each_has_the_kernels_drivers(self, linux, name):
        assert DRIVERS <= set(linux.ask(name, "ls -d /sys/bus/pci/drivers/virtio-pci && ls /sys/bus/virtio/drivers").split())

    def test_the_bridges_are_the_q35s(self, linux):
        functions = linux.ask("one", "cd /sys/bus/pci/devices; for f in *; do echo $f $(cat $f/vendor $f/device); done; cd")
        assert functions.splitlines()[0] == "0000:00:00.0 0x8086 0x29c0"
        assert functions.splitlines()[-1] == "0000:00:1f.0 0x8086 0x2918"

    def test_every_device_has_a_driver(self, linux):
        for name in ("one", "pins", "old"):
            assert linux.ask(name, "cd /sys/bus/virtio/devices; for d in *; do [ -e $d/driver ] || echo $d; done; cd") == ""


class TestDisk:
    def test_it_is_what_the_manifest_says(self, linux):
        assert linux.ask("one", "cat /sys/block/vda/size /sys/block/vda/serial").split() == [str(96 * 2048), "first"]
        assert len(interrupts(linux, "one", "PCI-MSI.*virtio.*req")) == 1

    def test_ext4_takes_64_mib(self, linux):
        linux.ask("one", "mkfs.ext4 -q /dev/vda && mkdir /mnt && mount /dev/vda /mnt")
        linux.ask("one", f"pattern {MIB << 20} 1 >/mnt/data && sync /mnt/data", TICKS)
        assert re.fullmatch(r"[0-9a-f]{32}  -", linux.ask("one", "md5sum </mnt/data", TICKS))


class TestPins:
    """A disk whose interrupts come by a pin: with ACPI at the I/O APIC, without it at the 8259."""

    @pytest.mark.parametrize("name,controller", [("pins", r"IO-APIC +(16|17|18|19)-fasteoi"), ("old", "XT-PIC")])
    def test_ext4_works(self, linux, name, controller):
        linux.ask(name, "mkfs.ext4 -q /dev/vda && mkdir /mnt && mount /dev/vda /mnt")
        linux.ask(name, "dd if=/dev/urandom of=/mnt/data bs=64k count=64 conv=fsync && md5sum /mnt/data >/tmp/sum")
        linux.ask(name, "umount /mnt && mount /dev/vda /mnt && md5sum -c /tmp/sum")
        (line,) = interrupts(linux, name, "virtio")
        assert re.search(controller, line)
        assert int(line.split()[1]) > 20
