"""Debian's unmodified kernel as a guest beside another VM: what it found of its PC, and that both run. One boot by UEFI on
two CPUs; the ways of booting are test_boot_paths.py's."""
import re

import harness
import pytest

MANIFEST = harness.linux_vm(1, "cpus = [0]\nhpet = true\n") + """
[[vm]]
name    = "hello"
kernel  = "hello/hello.bin"
memory  = "16M"
cpus    = [1]
"""
COUNTED = re.compile(rb"hello from hello: (\d+) seconds\r?\n")
# What Debian's kernels say at level "warning" or above on this PC, and why that is right.
KNOWN_COMPLAINTS = [
    r"RETBleed: WARNING: Spectre v2 mitigation leaves CPU vulnerable",  # so says the emulated processor's model, bare too
    r"i8042: PNP: PS/2 appears to have AUX port disabled",  # there is a keyboard port and no mouse
]
pytestmark = pytest.mark.boot(cpus=2, memory=1024, manifest=MANIFEST)


def states(boot):
    """Of linux and hello, from Bulkhead's prompt."""
    seen = boot.states()
    return seen["linux"].split()[1], seen["hello"].split()[1]


class TestLinuxBesideHello:
    @pytest.fixture(scope="class")
    def kept(self):
        return {}

    @pytest.fixture
    def dmesg(self, boot, kept):
        if "dmesg" not in kept:
            kept["dmesg"] = boot.ask_guest("dmesg | grep -v '^$'; echo; echo end")
        return kept["dmesg"]

    def test_command_is_answered(self, boot):
        assert re.fullmatch(r"Linux bulkhead-guest \S+ #1 SMP .* x86_64 GNU/Linux", boot.ask_guest("uname -a"))

    def test_clock_is_the_tsc(self, boot):
        path = "/sys/devices/system/clocksource/clocksource0/current_clocksource"
        assert boot.ask_guest(f"cat {path}") == "tsc"

    def test_the_hpet_that_was_asked_for_is_found(self, boot, dmesg):
        path = "/sys/devices/system/clocksource/clocksource0/available_clocksource"
        assert "hpet" in boot.ask_guest(f"cat {path}").split()
        assert "hpet0: 3 comparators, 64-bit 100.000000 MHz counter" in dmesg

    def test_four_serial_ports_are_found(self, dmesg):
        for port, (base, line) in enumerate((("0x3f8", 4), ("0x2f8", 3), ("0x3e8", 4), ("0x2e8", 3))):
            assert re.search(rf"ttyS{port} at I/O {base} \(irq = {line}, base_baud = 115200\) is a 16550A", dmesg)

    def test_x2apic_is_chosen(self, dmesg):
        assert "x2apic" in dmesg
        assert re.search(r"Switched APIC routing to:? (physical|cluster) x2apic|x2apic: enabled by BIOS, switching", dmesg)

    def test_linux_complains_of_nothing_else(self, boot):
        lines = boot.ask_guest("dmesg -r | grep '^<[0-4]>' | cut -c1-150; echo end").splitlines()
        others = [line for line in lines[:-1] if not any(re.search(known, line) for known in KNOWN_COMPLAINTS)]
        assert lines[-1] == "end"
        assert others == []

    def test_tsc_frequency_needs_no_pit(self, dmesg):
        assert re.search(r"tsc: Detected [\d.]+ MHz", dmesg)
        assert "Calibrating delay loop (skipped)" in dmesg
        assert not re.search(r"calibration using PIT|PIT calibration|Unable to calibrate against PIT", dmesg)

    def test_memory_and_acpi_are_as_promised(self, dmesg):
        assert re.search(r"ACPI: RSDP 0x[0-9A-F]+", dmesg)
        assert "ACPI: Interpreter enabled" in dmesg
        assert re.search(r"Memory: \d+K/26\d{4}K available", dmesg)

    def test_bridges_of_the_q35_are_found(self, boot, dmesg):
        """By both ways: ECAM is where the tables say, and extended configuration space is read there."""
        names = boot.ask_guest("cd /sys/bus/pci/devices; for d in *; do echo $d $(cat $d/vendor $d/device $d/class); done; cd")
        assert {"0000:00:00.0 0x8086 0x29c0 0x060000", "0000:00:1f.0 0x8086 0x2918 0x060100"} <= set(names.splitlines())
        assert re.search(r"\[mem 0xe0000000-0xe00fffff\] reserved (in|as) ACPI motherboard resource", dmesg)
        assert boot.ask_guest("wc -c < /sys/bus/pci/devices/0000:00:00.0/config") == "4096"
        assert re.search(r"acpi PNP0A08:00: _OSC: OS now controls \[PCIeCapability\]", dmesg)

    def test_guest_sees_one_cpu_and_its_memory(self, boot):
        answer = boot.ask_guest("grep -c ^processor /proc/cpuinfo; grep MemTotal /proc/meminfo; grep -c hypervisor /proc/cpuinfo")
        cpus, memory, hypervisor = answer.splitlines()
        assert (cpus, hypervisor) == ("1", "1")
        assert 200_000 < int(memory.split()[1]) < 262_144

    def test_clock_runs_at_the_hosts_rate(self, boot):
        before = boot.ticks()
        answer = boot.ask_guest("cut -d' ' -f1 /proc/uptime; sleep 2; cut -d' ' -f1 /proc/uptime")
        passed = [float(word) for word in answer.split()]
        assert 2.0 <= passed[1] - passed[0] < 3.0
        assert boot.ticks() - before >= 2 * 200_000_000

    def test_long_output_is_whole(self, boot):
        assert boot.ask_guest("seq 1 300").split() == [str(number) for number in range(1, 301)]

    def test_both_vms_run(self, boot):
        boot.guest_prompt()
        boot.to_host()
        assert states(boot) == ("running", "running")

    # From here on the guest is gone: what needs it stands above.
    def test_guests_poweroff_ends_its_vm_and_leads_to_the_prompt(self, boot):
        boot.to_host()
        boot.type("console linux\r\r")
        boot.wait_for(harness.GUEST_PROMPT)
        boot.type("poweroff\r")
        boot.wait_for(re.compile(rb"linux: stopped: the guest powered off[^\0]*bulkhead> "))
        assert states(boot) == ("stopped", "running")

    def test_the_other_vm_goes_on(self, boot):
        boot.to_host()
        boot.type("console hello\r")
        first = int(boot.wait_for(COUNTED).group(1))
        while int(boot.wait_for(COUNTED).group(1)) < first + 2:
            pass

    def test_last_words_stay_readable(self, boot):
        boot.to_host()
        boot.type("console linux\r")
        boot.wait_for("reboot: Power down")

    def test_the_pc_switches_off_then(self, boot):
        boot.to_host()
        boot.power_off()
        assert not boot.running


@pytest.mark.slow
@pytest.mark.boot(cpus=1, firmware="bios", manifest=harness.linux_vm(1, 'restart = "on-failure"\n'))
def test_guests_reboot_starts_it_again_on_the_same_terminal(boot):
    boot.wait_for(harness.GUEST_PROMPT)
    before = boot.ask_guest("cat /proc/sys/kernel/random/boot_id")
    boot.type("reboot\r")
    boot.wait_for("reboot: Restarting system")
    boot.wait_for(harness.GUEST_PROMPT)
    after = boot.ask_guest("cat /proc/sys/kernel/random/boot_id")
    assert len(before) == len(after) == 36 and before != after


@pytest.mark.slow
@pytest.mark.boot(cpus=1, firmware="bios", cpu="sapphire_rapids", manifest=harness.linux_vm(1))
def test_a_stock_kernel_finds_what_a_new_processor_has(boot):
    """Shadow stacks it keeps to programs that ask for them; five levels of paging are not shown in Bochs (docs/cpu.md)."""
    boot.wait_for(harness.GUEST_PROMPT)
    flags = boot.ask_guest("grep -m1 ^flags /proc/cpuinfo").split()
    assert {"pku", "ospke", "ibt", "xsaves", "avx_vnni", "serialize", "movdiri", "fsgsbase", "umip", "invpcid"} <= set(flags)
    assert not {"la57", "pks", "waitpkg", "monitor", "vmx", "arch_perfmon", "pdcm", "amx_tile"} & set(flags)
