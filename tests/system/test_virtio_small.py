"""Small virtio devices with the kernel's own drivers, all in one boot: entropy, console with ports, sockets, balloon."""
import re

import pytest
from linux_vms import LinuxVms, vm

MANIFEST = "[[switch]]\nname = \"lan\"\n" + vm(
    "one", "rng = true\nballoon = true\nhvc = true\nports = [\"log\"]\nvsock = { switch = \"lan\", cid = 3 }\n",
    memory="256M") + vm(
    "two", "vsock = { switch = \"lan\", cid = 4 }\n")
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

        before = free()
        linux.at_host("balloon one 128M")
        assert wait_for_memory(linux, 120, 136)
        assert wait_until(linux, lambda: free() < before - 100 * 1024), f"{before} kB were free, and {free()} are"
        linux.at_host("balloon one 256M")
        assert wait_for_memory(linux, 256, 256)
        # What came back is memory: it holds what is written to it.
        linux.ask("one", "dd if=/dev/urandom of=/tmp/x bs=1M count=24 2>/dev/null && cp /tmp/x /tmp/y && cmp /tmp/x /tmp/y; "
                         "s=$?; rm /tmp/x /tmp/y; test $s = 0")
