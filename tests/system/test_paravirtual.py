"""The paravirtual interface (docs/paravirtual.md): stolen time beside a VM that computes too, and Debian's unmodified kernel, which
uses each part that is offered and does without each that is switched off."""
import re

import harness
import pytest

PARTS = ("steal-time", "pv-unhalt", "pv-ipi", "pv-tlb-flush")


def flat(name, program, cmdline="", memory="2M"):
    line = f'cmdline = "{cmdline}"\n' if cmdline else ""
    return f'\n[[vm]]\nname = "{name}"\nkernel = "test/{program}.bin"\nmemory = "{memory}"\ncpus = [0]\n{line}'


def disable(*names):
    return "[host]\ndisable = [" + ", ".join(f'"{name}"' for name in names) + "]\n"


@pytest.mark.boot(cpus=1, firmware="bios", linux=False, memory=256, add=harness.guest_programs("steal_time"),
                  manifest=flat("one", "steal_time") + flat("two", "steal_time"))
def test_two_vms_that_compute_on_one_cpu_see_half_of_it_stolen(boot):
    boot.shows(re.compile(rb"one: stopped: the guest powered off"))
    boot.shows(re.compile(rb"two: stopped: the guest powered off"))
    seen = {}
    for name in ("one", "two"):
        boot.to_host()
        boot.type(f"console {name}\r")
        seen[name] = int(boot.wait_for(re.compile(rb"steal_time: (\d+) percent")).group(1))
    assert "TEST-FAIL" not in boot.text()
    assert all(45 <= percent <= 55 for percent in seen.values()), seen


@pytest.mark.boot(cpus=1, firmware="bios", linux=False, memory=256, add=harness.guest_programs("steal_time"),
                  manifest=disable(*PARTS) + flat("one", "steal_time", "absent"))
def test_msr_of_stolen_time_is_absent_where_switched_off(boot):
    boot.shows("one: stopped: the guest powered off")
    boot.to_host()
    boot.type("console one\r")
    boot.wait_for("steal_time: absent")
    assert "TEST-FAIL" not in boot.text()


@pytest.mark.boot(cpus=1, firmware="bios", linux=False, memory=256, add=harness.guest_programs("paravirtual"),
                  manifest=flat("several", "paravirtual", memory="16M") + "vcpus = 4\n")
def test_kicks_messages_and_flush_wishes_between_vcpus(boot):
    boot.shows("several: stopped: the guest powered off")
    boot.to_host()
    boot.type("console several\r")
    boot.wait_for("paravirtual: end")
    assert "TEST-FAIL" not in boot.text()
    assert len(set(re.findall(r"TEST-PASS ([^\r\n]*)", boot.text()))) == 12


def spins(vcpus, disabled, least, most):
    """A VM that spins in PAUSE alone on its CPU, and how many of its 20,000 turns are long."""
    arguments = {"manifest": (disable(disabled) if disabled else "") + flat("spins", "pause") + f"vcpus = {vcpus}\n"}
    return pytest.param(arguments, least, most, id=f"{vcpus}-{disabled or 'ple'}")


# About five ticks a turn: a loop of 4096 ticks exits some twenty times.
@pytest.mark.boot(cpus=1, firmware="bios", linux=False, memory=256, add=harness.guest_programs("pause"))
@pytest.mark.parametrize("boot,least,most", [spins(1, "", 0, 8), spins(2, "", 15, 200), spins(2, "ple", 20_000, 20_000)],
                         indirect=["boot"])
def test_pause_exits_only_where_another_vcpu_may_be_waited_for(boot, least, most):
    boot.shows("spins: stopped: the guest powered off")
    boot.to_host()
    boot.type("console spins\r")
    assert least <= int(boot.wait_for(re.compile(rb"pause: (\d+) long turns")).group(1)) <= most


LINUX = harness.linux_vm(2, "cpus    = [0]\n")
# What each part makes the kernel say (arch/x86/kernel/kvm.c of Linux 6).
SAYS = {
    "pv-unhalt": "PV spinlocks enabled",
    "pv-ipi": "setup PV IPIs",
    "pv-tlb-flush": "KVM setup pv remote TLB flush",
}


def jiffies(boot):
    """User and system time, and stolen time, of all CPUs of the guest since its boot."""
    words = boot.ask_guest("grep '^cpu ' /proc/stat").split()
    return int(words[1]) + int(words[3]), int(words[8])


def compute_alone(boot):
    """With one processor only: newer kernels test their ciphers for some seconds behind the prompt, on another one, which then
    takes time from the first. Once more does no harm."""
    boot.ask_guest("echo 0 >/sys/devices/system/cpu/cpu1/online; while :; do :; done & sleep 1")


@pytest.mark.boot(cpus=1, firmware="bios", add=harness.guest_programs("spin_on_key"), manifest=LINUX + flat("other", "spin_on_key"))
class TestLinuxWithAllParts:
    def test_kernel_knows_its_hypervisor(self, boot):
        assert "Hypervisor detected: KVM" in boot.ask_guest("dmesg | grep -i hypervisor")

    @pytest.mark.parametrize("part", SAYS)
    def test_kernel_uses_the_part(self, boot, part):
        assert SAYS[part] in boot.ask_guest("dmesg | grep -i -e kvm -e spinlock")

    def test_nothing_is_stolen_by_a_halted_neighbour(self, boot):
        compute_alone(boot)
        before = jiffies(boot)
        boot.ask_guest("sleep 3")
        busy, stolen = (after - earlier for after, earlier in zip(jiffies(boot), before))
        assert busy > 250
        assert stolen < 30

    def test_half_is_stolen_by_one_that_computes(self, boot):
        boot.guest_prompt()
        boot.to_host()
        boot.type("console other\r")
        boot.wait_for("spin_on_key: waits")
        boot.type("x")
        boot.wait_for("spin_on_key: spins")
        boot.to_host()
        boot.type("console linux\r")
        boot.wait_for("[linux: Ctrl-]")
        boot.type("echo at''tached\r")  # what is shown again holds prompts
        boot.wait_for(re.compile(rb"\nattached"))
        boot.wait_for(harness.GUEST_PROMPT)
        compute_alone(boot)
        before = jiffies(boot)
        boot.ask_guest("sleep 3")
        busy, stolen = (after - earlier for after, earlier in zip(jiffies(boot), before))
        assert busy + stolen > 250
        assert 0.45 < stolen / (busy + stolen) < 0.55


def without(*names, slow=True):
    return pytest.param({"cpus": 1, "firmware": "bios", "manifest": disable(*names) + LINUX}, set(names), id="+".join(names),
                        marks=pytest.mark.slow if slow else ())


@pytest.mark.parametrize("boot,disabled", [without(*PARTS, slow=False), *(without(part) for part in PARTS)], indirect=["boot"])
def test_kernel_does_without_what_is_switched_off(boot, disabled):
    gone = disabled | ({"pv-tlb-flush"} if "steal-time" in disabled else set())
    said = boot.ask_guest("dmesg | grep -i -e kvm -e spinlock; nproc")
    assert said.splitlines()[-1] == "2"
    for part, words in SAYS.items():
        assert (words in said) == (part not in gone), part
    if "steal-time" in disabled:
        boot.ask_guest("timeout 1 sh -c 'while :; do :; done' & timeout 1 sh -c 'while :; do :; done'")
        assert jiffies(boot)[1] == 0
    boot.to_host()
    used = re.search(r"vm linux uses: ([^\r\n]*)", boot.ask_host("log")).group(1).split()
    assert set(used) & {*PARTS, "ple"} == {*PARTS, "ple"} - gone
