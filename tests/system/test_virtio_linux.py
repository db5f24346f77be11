"""Debian's unmodified kernel and its own drivers on the devices that a VM can have. One boot: `one` has two vCPUs and starts again
after a reboot, `pins` may not use MSI-X, `old` knows neither ACPI nor a local APIC."""
import hashlib
import re

import pytest
from linux_vms import linux_fixture, pattern, vm

SMALL = 'cpus = [1]\ndisk = [{ size = "16M", mode = "cow" }]\n'
MANIFEST = (vm("one", """restart = "always"
disk    = [{ size = "96M", mode = "cow", serial = "first" }, { file = "test/disk.img", size = "8M", changes = "1M" }]
""", vcpus=2, memory="192M") +
            vm("pins", SMALL, memory="96M", cmdline="pci=nomsi") + vm("old", SMALL, memory="96M", cmdline="acpi=off pci=nomsi"))
FILE = bytes((i // 512 * 7 + i) & 0xff for i in range(65536))
MIB = 64
MARK = "bulkhead"
DRIVERS = {"virtio_blk", "virtio_net", "virtio_console", "virtio_rng", "virtio_balloon", "vmw_vsock_virtio_transport"}
FEATURES = {"INDIRECT_DESC": 28, "EVENT_IDX": 29, "VERSION_1": 32, "RING_PACKED": 34}
TICKS = 20_000_000_000
pytestmark = [pytest.mark.slow,
              pytest.mark.boot(cpus=2, memory=1536, firmware="bios", manifest=MANIFEST, devices=True,
                              files=(("test/disk.img", FILE),))]


linux = linux_fixture("one", "pins", "old")


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


def virtio_of(linux, disk):
    """Where Linux's sysfs has the virtio device of a disk, and the device's name."""
    path = linux.ask("one", f"readlink -f /sys/block/{disk}/device")
    return path, path.rsplit("/", 1)[1]


def sum_of(linux, disk, first, count):
    """MD5 of blocks of 4 KiB, read from the device and not from Linux's cache."""
    return linux.ask("one", f"echo 3 >/proc/sys/vm/drop_caches; dd if=/dev/{disk} bs=4k skip={first} count={count} 2>/dev/null | "
                            "md5sum").split()[0]


class TestDisk:
    def test_it_is_what_the_manifest_says(self, linux):
        assert linux.ask("one", "cat /sys/block/vda/size /sys/block/vda/serial").split() == [str(96 * 2048), "first"]
        assert linux.ask("one", "cat /sys/block/vdb/size /sys/block/vdb/serial").split() == [str(8 * 2048), "disk1"]

    def test_linux_takes_packed_rings(self, linux):
        for disk in ("vda", "vdb"):
            features = linux.ask("one", f"cat {virtio_of(linux, disk)[0]}/features").strip()
            assert {name: features[bit] for name, bit in FEATURES.items()} == dict.fromkeys(FEATURES, "1")

    def test_each_vcpu_has_its_queue(self, linux):
        _, device = virtio_of(linux, "vda")
        cpus = linux.ask("one", "cd /sys/block/vda/mq; for q in *; do echo $q $(cat $q/cpu_list); done; cd")
        assert cpus.splitlines() == ["0 0", "1 1"]

        def counts():
            lines = interrupts(linux, "one", f"PCI-MSI.*{device}-req")
            return [sum(map(int, line.split()[1:3])) for line in lines]

        for vcpu in (0, 1):
            before = counts()
            linux.ask("one", f"taskset {1 << vcpu} dd if=/dev/vda of=/dev/null bs=64k skip={64 + 64 * vcpu} count=32")
            after = counts()
            assert after[vcpu] > before[vcpu]
            assert len(after) == 2

    def test_discarded_blocks_are_zeros(self, linux):
        assert sum_of(linux, "vdb", 0, 16) == hashlib.md5(FILE).hexdigest()
        linux.ask("one", "blkdiscard -o 4096 -l 8192 /dev/vdb")
        assert sum_of(linux, "vdb", 0, 16) == hashlib.md5(FILE[:4096] + bytes(8192) + FILE[12288:]).hexdigest()

    def test_trimmed_files_are_zeros(self, linux):
        linux.ask("one", "mkfs.ext4 -qF -b 4096 -O ^has_journal /dev/vdb && mkdir /small && mount /dev/vdb /small")
        linux.ask("one", f"pattern 65536 5 >/small/stays; yes {MARK} | head -c 131072 >/small/goes; sync")
        count = f"echo 3 >/proc/sys/vm/drop_caches; tr -d '\\0' </dev/vdb | grep -c {MARK} || true"
        assert int(linux.ask("one", count)) > 10000
        linux.ask("one", "rm /small/goes && sync && fstrim /small")
        assert int(linux.ask("one", count)) == 0
        linux.ask("one", "umount /small && mount /dev/vdb /small && pattern 65536 5 | cmp - /small/stays && umount /small")

    def test_full_changes_fail_writes_and_nothing_else(self, linux):
        linux.ask("one", "blkdiscard /dev/vdb && pattern 524288 2 | dd of=/dev/vdb bs=4k seek=128 conv=fsync")
        kept = sum_of(linux, "vdb", 128, 128)
        status, text = linux.answer("one", "pattern 2097152 3 | dd of=/dev/vdb bs=4k seek=512 conv=fsync")
        assert status != 0
        assert "Input/output error" in text or "I/O error" in text
        assert "I/O error, dev vdb" in linux.ask("one", "dmesg")
        assert sum_of(linux, "vdb", 128, 128) == kept
        assert linux.at_host("log").count("E241 one: disk 1: no memory is left for its changes") == 1
        linux.ask("one", "blkdiscard -o 2097152 -l 2097152 /dev/vdb")
        linux.ask("one", "pattern 262144 3 | dd of=/dev/vdb bs=4k seek=1024 conv=fsync")

    def test_ext4_with_64_mib_is_as_it_was_after_a_reboot(self, linux):
        linux.ask("one", "mkfs.ext4 -q /dev/vda && mkdir /mnt && mount /dev/vda /mnt")
        linux.ask("one", f"pattern {MIB << 20} 1 >/mnt/data && sync /mnt/data && umount /mnt", TICKS)
        linux.reboot("one")
        linux.ask("one", "mkdir /mnt && mount /dev/vda /mnt")
        assert linux.ask("one", "md5sum </mnt/data", TICKS).split()[0] == hashlib.md5(pattern(MIB << 20, 1)).hexdigest()


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
