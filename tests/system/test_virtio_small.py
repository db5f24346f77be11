"""Small virtio devices with the kernel's own drivers, all in one boot: entropy, console with ports, sockets, balloon. And shared
memory, for which it has none: `one` reaches it through sysfs, beside a guest of ours that says when it is rung."""
import hashlib
import re

import harness
import pytest
from linux_vms import linux_fixture, pattern, vm

# None of them may take the CPU's random numbers for good: `two` shows what a kernel without a virtio entropy device has then.
DISTRUST = "random.trust_cpu=off"
MANIFEST = '[[switch]]\nname = "lan"\n[[shared]]\nname = "ring"\nsize = "64K"\n' + vm(
    "one", """rng = true
balloon = true
hvc = true
ports = ["log"]
vsock = { switch = "lan", cid = 3 }
shared = [{ name = "ring" }]
""", memory="256M", cmdline=DISTRUST) + vm(
    "two", 'vsock = { switch = "lan", cid = 4 }\n', cmdline=DISTRUST) + """
[[vm]]
name    = "partner"
kernel  = "test/shared_memory.bin"
memory  = "2M"
cmdline = "partner"
shared  = [{ name = "ring", vectors = 2 }]
"""
SHARED_WORDS = 0x10000 // 4
PAGE_WORDS = 4096 // 4
pytestmark = [pytest.mark.slow,
              pytest.mark.boot(cpus=2, memory=1024, firmware="bios", manifest=MANIFEST, devices=True,
                               add=harness.guest_programs("shared_memory"))]


linux = linux_fixture("one", "two")


def memory_of(linux):
    """MiB that `list` says the VM has."""
    return int(re.search(r"^one +running +(\d+)M", linux.at_host("list"), re.MULTILINE).group(1))


def wait_for_memory(linux, least, most):
    for _ in range(30):
        now = memory_of(linux)
        if least <= now <= most:
            return now
        linux.ask("one", "sleep 0.5")
    raise AssertionError(f"{now} MiB, and not {least} to {most}")


def wait_until(linux, holds):
    for _ in range(10):
        if holds():
            return True
        linux.ask("one", "sleep 0.5")
    return False


class TestSmallDevices:
    def test_entropy_is_there_at_boot(self, linux):
        assert "virtio_rng" in linux.ask("one", "cat /sys/class/misc/hw_random/rng_current")
        words = [linux.ask("one", "head -c 32 /dev/hwrng | od -An -tx1 | tr -d ' \\n'") for _ in range(2)]
        assert all(re.search("[0-9a-f]{64}", word) for word in words) and words[0] != words[1]
        linux.ask("one", "dmesg | grep 'crng init done'")
        status, text = linux.answer("two", "cat /sys/class/misc/hw_random/rng_current; dmesg | grep 'crng init done'")
        assert (status, text) == (1, "none")

    def test_hvc_shares_the_terminal(self, linux):
        assert "by-hvc" in linux.ask("one", "ls -l /dev/hvc0; echo by-h''vc >/dev/hvc0; sleep 0.2")

    def test_a_port_is_a_terminal_of_its_own(self, linux):
        assert "one.log" in linux.at_host("list")
        assert "log" in linux.ask("one", "cat /sys/class/virtio-ports/vport*p1/name")
        linux.ask("one", "echo hello from the port >$(echo /dev/vport*p1)")
        assert "hello from the port" in linux.at_host("output one.log")

    def test_sockets_echo_between_vms(self, linux):
        assert linux.ask("one", "vsock cid").split()[-1] == "3"
        job = linux.begin("two", "vsock listen 7 1")
        linux.ask("one", "sleep 0.5; vsock send 4 7 300000")
        linux.end_of(job)

    def test_sockets_reach_nobody_where_nobody_is(self, linux):
        assert "failed" in linux.ask("one", "vsock send 4 8 10 || echo failed")
        assert "failed" in linux.ask("one", "vsock send 9 7 10 || echo failed")
        assert "failed" in linux.ask("one", "vsock send 2 7 10 || echo failed")

    def test_balloon_down_and_up_again(self, linux):
        def free():
            return int(linux.ask("one", "grep MemFree /proc/meminfo | tr -dc 0-9"))

        size = 72 << 20
        before = free()
        linux.at_host("balloon one 128M")
        assert wait_for_memory(linux, 120, 136)
        assert wait_until(linux, lambda: free() < before - 100 * 1024), f"{before} kB were free, and {free()} are"
        assert free() < size >> 10
        linux.at_host("balloon one 256M")
        assert wait_for_memory(linux, 256, 256)
        # What came back is memory: it holds what is written to it, which is more than was free meanwhile.
        linux.ask("one", f"pattern {size} 9 >/tmp/x")
        assert linux.ask("one", "md5sum </tmp/x; rm /tmp/x").split()[0] == hashlib.md5(pattern(size, 9)).hexdigest()


def pcimem_words(count, seed):
    """What `pcimem fill` writes (guests/linux/pcimem.c)."""
    for _ in range(count):
        seed = (seed * 1664525 + 1013904223) & 0xffffffff
        yield seed ^ seed >> 16


class TestSharedMemoryBySysfs:
    @pytest.fixture
    def function(self, linux):
        """The folder of the PCI function in Linux's sysfs."""
        found = linux.ask("one", "cd /sys/bus/pci/devices; for f in *; do "
                                 "[ $(cat $f/vendor)$(cat $f/device) != 0x1af40x1110 ] || echo $f; done; cd").split()
        assert len(found) == 1
        linux.ask("one", f"echo 1 >/sys/bus/pci/devices/{found[0]}/enable")
        return f"/sys/bus/pci/devices/{found[0]}"

    def test_memory_is_read_and_written(self, linux, function):
        assert linux.ask("one", f"stat -c %s {function}/resource2") == str(SHARED_WORDS * 4)
        assert linux.ask("one", f"pcimem {function}/resource0 read 8 4") == "0x0"
        linux.ask("one", f"pcimem {function}/resource2 fill 4096 {(SHARED_WORDS - PAGE_WORDS) * 4} 7")
        assert "equal" in linux.ask("one", f"pcimem {function}/resource2 check 4096 {(SHARED_WORDS - PAGE_WORDS) * 4} 7")

    @pytest.mark.parametrize("seed", [7, 8])
    def test_the_partner_is_rung_and_sees_what_was_written(self, linux, function, seed):
        linux.ask("one", f"pcimem {function}/resource2 fill 4096 {(SHARED_WORDS - PAGE_WORDS) * 4} {seed}")
        linux.ask("one", f"pcimem {function}/resource0 write 12 4 0x10000")
        total = sum(pcimem_words(SHARED_WORDS - PAGE_WORDS, seed)) & 0xffffffff
        assert wait_until(linux, lambda: int(linux.ask("one", f"pcimem {function}/resource2 read 0 4"), 16) == total)
        assert f"partner: rung, the sum is {total:016x}" in linux.at_host("output partner")

    def test_what_nobody_is_to_hear_is_lost(self, linux, function):
        before = linux.at_host("output partner").count("rung")
        for target in ("0x10002", "0x20000", "0xffffffff", "0"):  # no such vector, no such peer, Linux's own, which has no driver
            linux.ask("one", f"pcimem {function}/resource0 write 12 4 {target}")
        linux.ask("one", f"pcimem {function}/resource0 write 12 4 0x10001")
        assert wait_until(linux, lambda: "TEST-PASS shared_memory partner" in linux.at_host("output partner"))
        assert linux.at_host("output partner").count("rung") == before
