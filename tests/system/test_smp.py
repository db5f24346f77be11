"""Guests with several vCPUs: one of ours that starts them, counts and sends interrupts, and Debian's kernel."""
import re

import harness
import pytest


def many(vcpus, words="", host=""):
    """What a boot with the test guest needs."""
    manifest = f"""{host}
[[vm]]
name    = "many"
kernel  = "test/many_vcpus.bin"
memory  = "4M"
cmdline = "{words}"
vcpus   = {vcpus}
"""
    program = f"{harness.BUILD}/many_vcpus.bin=test/many_vcpus.bin"
    return {"firmware": "bios", "linux": False, "manifest": manifest, "add": (program,)}


NO_APICV = '[host]\ndisable = ["apicv"]\n'
NO_POSTING = '[host]\ndisable = ["posted-interrupts"]\n'
NO_X2APIC = '[host]\ndisable = ["x2apic"]\n'
BOOTS = {
    "4-on-1": dict(many(4), cpus=1),
    "8-xapic-on-2": dict(many(8, "xapic", NO_X2APIC), cpus=2),
    "8-without-apicv-on-2": dict(many(8, host=NO_APICV), cpus=2),
    "8-without-posting-on-2": dict(many(8, host=NO_POSTING), cpus=2),
    "64-on-2": dict(many(64), cpus=2),
    "64-xapic-on-2": dict(many(64, "xapic"), cpus=2),
}
SLOW = ("64-on-2", "64-xapic-on-2")


@pytest.mark.parametrize("boot", [
    pytest.param(BOOTS[name], id=name, marks=pytest.mark.slow if name in SLOW else ()) for name in BOOTS], indirect=True)
def test_processors_start_and_get_all_interrupts(boot):
    found = boot.wait_for(re.compile(rb"many_vcpus: (\d+) processors"))
    assert f"vcpus   = {int(found[1])}\n" in boot.arguments["manifest"]
    lines = boot.text().splitlines()
    assert [line for line in lines if "TEST-FAIL" in line or "exception" in line] == []
    assert sum("TEST-PASS" in line for line in lines) > 20


@pytest.mark.boot(**many(3, "dead"), cpus=2)
def test_a_vm_whose_processors_all_halt_for_good_is_stopped(boot):
    boot.wait_for("TEST-PASS all processors start")
    boot.to_host()
    boot.shows("E308 many: stopped: the guest halted with interrupts off")


LINUX = harness.linux_vm(4)
HOTPLUG = ("for i in $(seq 20); do for v in 0 1; do for c in 1 2 3; do "
           "echo $v >/sys/devices/system/cpu/cpu$c/online || echo failed; done; done; done; echo loop done")
COMPLAINTS = "tsc: Marking TSC unstable|TSC.*unstable|clocksource.*unstable|soft lockup|rcu.*stall|BUG:|WARNING: CPU|Oops"
STRESS_TICKS = 40_000_000_000


@pytest.mark.parametrize("boot", [
    pytest.param({"cpus": 1}, id="on-1", marks=pytest.mark.slow), pytest.param({"cpus": 2}, id="on-2"),
    pytest.param({"cpus": 4, "manifest": NO_APICV + LINUX}, id="on-4-without-apicv", marks=pytest.mark.slow)], indirect=True)
@pytest.mark.boot(firmware="bios", memory=1024, manifest=LINUX)
class TestLinuxWithFourProcessors:
    def test_all_processors_are_up(self, boot):
        assert boot.ask_guest("nproc") == "4"

    def test_clock_is_the_tsc(self, boot):
        assert boot.ask_guest("cat /sys/devices/system/clocksource/clocksource0/current_clocksource") == "tsc"

    def test_shootdowns_futexes_and_signals(self, boot):
        lines = boot.ask_guest("smp_stress", STRESS_TICKS).splitlines()
        assert lines == ["smp_stress: shootdowns done", "smp_stress: futexes done", "smp_stress: ok"]

    def test_processors_go_and_come_back_twenty_times(self, boot):
        boot.ask_guest("echo 1 >/proc/sys/kernel/printk")
        assert boot.ask_guest(HOTPLUG, STRESS_TICKS) == "loop done"
        assert boot.ask_guest("nproc") == "4"
        assert boot.ask_guest("dmesg | grep -c 'Booting Node 0 Processor [123] '") == "60"

    def test_linux_complains_of_no_clock_and_no_processor(self, boot):
        assert boot.ask_guest(f"dmesg | grep -E '{COMPLAINTS}'; echo end") == "end"
        assert boot.ask_guest("cat /sys/devices/system/clocksource/clocksource0/current_clocksource") == "tsc"


@pytest.mark.slow
@pytest.mark.boot(cpus=2, firmware="bios", memory=1024, manifest=NO_X2APIC + harness.linux_vm(12))
def test_linux_with_more_processors_than_a_flat_xapic_has(boot):
    assert boot.ask_guest("nproc") == "12"
    assert "x2apic" not in boot.ask_guest("grep -m1 flags /proc/cpuinfo")
    assert boot.ask_guest("smp_stress", STRESS_TICKS).splitlines()[-1] == "smp_stress: ok"
