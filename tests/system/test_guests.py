"""Guests that test the VMM: device memory and string I/O, and hostile ones, each stopped beside one that goes on."""
import re

import harness
import pytest

pytestmark = pytest.mark.boot(linux=False)

NOT_IN_MEMORY = "stopped: the guest's stack, descriptor table or page table is not in memory: physical address"
SECOND = 200_000_000  # ticks
HOSTILE = {
    "triple-fault": ("triple_fault", "", "E301 triple-fault: stopped: triple fault"),
    "jump-unmapped": ("jump_unmapped", "", "E307 jump-unmapped: stopped: the guest jumped to an address without memory"),
    "idt-outside": ("table_outside", "idt", "E301 idt-outside: stopped: triple fault"),
    "stack-outside": ("table_outside", "stack", f"E314 stack-outside: {NOT_IN_MEMORY} fee00ff8"),
    "vmxoff": ("vmxoff", "", "E301 vmxoff: stopped: triple fault"),
    "halt-forever": ("halt_forever", "", "E308 halt-forever: stopped: the guest halted with interrupts off"),
    "reset-cf9": ("ask_reset", "", "reset-cf9: stopped: the guest asked for a reset"),
    "reset-8042": ("ask_reset", "keyboard", "reset-8042: stopped: the guest asked for a reset"),
    "exit-code": ("debug_exit", "", "exit-code: stopped: the guest ended with exit code 33"),
    "exit-code-8": ("debug_exit", "value=511 width=1", "exit-code-8: stopped: the guest ended with exit code 511"),
    "exit-code-32": ("debug_exit", "value=4294967295", "exit-code-32: stopped: the guest ended with exit code 8589934591"),
    "debug-traps": ("debug_traps", "", "debug-traps: stopped: the guest ended with exit code 33"),
    # 21h, woken by the alarm, and A00h, the segment of the waking vector
    "suspend": ("suspend", "", f"suspend: stopped: the guest ended with exit code {(0xa00 + 0x21) * 2 + 1}"),
    "power-off": ("power_off", "", "power-off: stopped: the guest powered off"),
}


def entry(name, program, cmdline="", memory="2M"):
    line = f'cmdline = "{cmdline}"\n' if cmdline else ""
    return f'\n[[vm]]\nname = "{name}"\nkernel = "test/{program}.bin"\nmemory = "{memory}"\n{line}'


def at_prompt(boot):
    """Leaves the first VM's terminal, once; Bulkhead's prompt then shows what was logged meanwhile, and what comes."""
    boot.shows(re.compile(rb"hello from good: [5-9] seconds"))
    if not getattr(boot, "is_at_prompt", False):
        boot.to_host()
    boot.is_at_prompt = True


HOST = '[host]\nconsole = ["serial"]\n'
HELLO = '\n[[vm]]\nname = "hello"\nkernel = "hello/hello.bin"\nmemory = "4M"\n'
HOSTILE_MANIFEST = (HOST + '\n[[vm]]\nname = "good"\nkernel = "hello/hello.bin"\nmemory = "4M"\ncmdline = "name=good"\n'
                    + "".join(entry(name, program, cmdline) for name, (program, cmdline, _) in HOSTILE.items())
                    + entry("flood", "flood_serial"))


@pytest.mark.boot(manifest=HOSTILE_MANIFEST,
                  add=harness.guest_programs("flood_serial", *sorted({row[0] for row in HOSTILE.values()})))
class TestHostileGuests:
    def test_a_good_guest_beside_them_counts_on(self, boot):
        boot.shows(re.compile(rb"hello from good: [5-9] seconds"))

    @pytest.mark.parametrize("name", list(HOSTILE))
    def test_each_is_stopped_with_its_reason(self, boot, name):
        at_prompt(boot)
        boot.shows(HOSTILE[name][2])

    def test_list_shows_the_exit_code(self, boot):
        at_prompt(boot)
        boot.shows(HOSTILE["exit-code"][2])
        assert re.search(r"^exit-code +stopped .* the guest ended with exit code 33 *$", boot.ask_host("list"), re.MULTILINE)

    def test_text_of_port_e9h_is_on_the_terminal(self, boot):
        at_prompt(boot)
        boot.shows(HOSTILE["exit-code"][2])
        boot.type("console exit-code\r")
        boot.shows("TEST-PASS port E9h")
        boot.to_host()

    def test_sleeping_takes_no_cpu_time(self, boot):
        at_prompt(boot)
        times = dict(re.findall(r"^(\S+) +running.* (\d+\.\d+) s *$", boot.ask_host("list"), re.MULTILINE))
        assert float(times["good"]) < 1 < float(times["flood"])

    def test_the_one_that_floods_its_serial_port_runs_on(self, boot):
        at_prompt(boot)
        boot.type("list\r")
        boot.shows(re.compile(rb"flood +running"))

    def test_its_terminal_can_be_left_at_once(self, boot):
        at_prompt(boot)
        boot.to_host()
        boot.type("console flood\r")
        boot.wait_for("[flood: Ctrl-]")
        boot.pc.seek(len(boot.pc.output))
        boot.type(harness.TO_HOST)
        boot.wait_for(harness.HOST_PROMPT, ticks=SECOND)
        assert "flood" in boot.ask_host("list")


ENDLESS = ("endless_alignment", "endless_debug")


@pytest.mark.parametrize("boot", [{"firmware": "bios", "add": harness.guest_programs(program),
                                   "manifest": HOST + HELLO + entry("endless", program),
                                   "extra": ("error: action=ignore",)}  # Bochs's log has a line for each exception
                                  for program in ENDLESS], indirect=True, ids=ENDLESS)
def test_a_guest_in_endless_exceptions_leaves_the_others_their_time(boot):
    """Both run on one CPU: its timer must get through."""
    boot.shows(re.compile(rb"hello from hello: [3-9] seconds"), ticks=4_000_000_000, seconds=120)
    boot.to_host()
    assert re.search(r"endless +running", boot.ask_host("list", ticks=2_000_000_000))
    boot.type("console endless\r")
    boot.shows(": now")


@pytest.mark.boot(manifest=(HOST + entry("device-memory", "device_memory")
                            + entry("task-switch", "task_switch") + "testdev = true\n"),
                  add=harness.guest_programs("device_memory", "task_switch"))
class TestDeviceMemory:
    def test_the_instruction_length_is_poisoned_where_it_is_undefined(self, boot):
        boot.shows("device_memory: FXSAVE now")
        assert boot.pc.poisons_instruction_length()

    def test_instructions_on_device_memory_and_ports(self, boot):
        boot.shows("device_memory: FXSAVE now")
        lines = re.findall(r"TEST-(\w+) ([^\n]*)", boot.text())
        assert len(lines) == 11
        assert all(result == "PASS" for result, _ in lines), lines

    def test_an_unknown_instruction_stops_the_vm_and_is_shown(self, boot):
        boot.shows("device_memory: FXSAVE now")
        boot.to_host()
        boot.shows(re.compile(rb"E306 device-memory: stopped: .*instruction 41 0f ae"))

    def test_task_switches_and_events_onto_nobodys_memory(self, boot):
        boot.type("console task-switch\r")
        boot.shows("task_switch: 37 of 37 passed")


# The questions of guests/test/platform.c.
PLATFORM = ("hpet_edge_by_ioapic", "hpet_periodic", "hpet_level_is_sent_again", "remote_irr_until_eoi", "masked_level_waits",
            "logical_lowest_priority", "nmi_by_ioapic", "hpet_takes_irq0", "pit_by_8259", "pit_one_shot_by_port61",
            "rtc_periodic", "cmos_tells_memory", "serial_ports_share_a_line", "keyboard_controller",
            "wide_accesses_reach_each_port", "acpi_registers")


@pytest.mark.boot(firmware="bios", manifest=HOST + entry("platform", "platform", memory="4M") + "hpet = true\n",
                  add=harness.guest_programs("platform"))
@pytest.mark.parametrize("question", PLATFORM)
def test_devices_of_a_pc(boot, question):
    boot.shows("platform: done", ticks=3_000_000_000, seconds=60)
    assert f"TEST-PASS {question}" in boot.text()


IOAPIC = ("physical", "logical", "everybody", "lowest_priority", "nobody", "nmi_to_one", "tmr_follows", "raised_by_another",
          "moved_in_service", "masked_in_service", "ended_by_its_own_register")


def ioapic(name, words, *marks):
    return pytest.param({"firmware": "bios", "add": harness.guest_programs("ioapic"), "linux": False,
                         "manifest": HOST + entry("ioapic", "ioapic", words) + "testdev = true\nvcpus = 4\n"}, id=name, marks=marks)


@pytest.mark.parametrize("boot", [ioapic("x2apic", ""), ioapic("xapic", "xapic", pytest.mark.slow)], indirect=True)
def test_ioapic_and_four_processors(boot):
    boot.shows("ioapic: done", ticks=4_000_000_000, seconds=60)
    assert re.findall(r"TEST-PASS (\w+)", boot.text()) == list(IOAPIC)


# A line for each instruction and way to execute it; ten more where there is XSAVE.
INSTRUCTION_LINES = {"corei7_skylake_x": 179, "corei5_arrandale_m520": 169, "sapphire_rapids": 179}


def instructions(model, *marks):
    return pytest.param({"firmware": "bios", "cpu": model, "manifest": HOST + entry("instructions", "instructions"),
                         "add": harness.guest_programs("instructions")}, id=model, marks=marks)


@pytest.mark.parametrize("boot", [instructions("corei7_skylake_x"), instructions("corei5_arrandale_m520", pytest.mark.slow),
                                  instructions("sapphire_rapids", pytest.mark.slow)], indirect=True)
def test_every_instruction_that_may_exit_has_the_answer_that_cpuid_promises(boot):
    boot.shows("instructions: done", ticks=4_000_000_000, seconds=200)
    lines = re.findall(r"TEST-(\w+) ([^\n]*)", boot.text())
    assert len(lines) == INSTRUCTION_LINES[boot.arguments["cpu"]]
    assert [line for result, line in lines if result != "PASS"] == []


# Each VM ends with exit code 1 when all is well. What the model has of PCID, PKU and CET adds to the first one's lines.
def processor_vms(lines):
    return {"processor": ("processor", f"lines={lines}"), "plain": ("register_state", ""), "one": ("register_state", "seed=1"),
            "two": ("register_state", "seed=2"), "modes": ("modes", ""), "local-apic": ("local_apic", "")}


def processor(model, lines, *marks):
    vms = processor_vms(lines)
    return pytest.param({"firmware": "bios", "cpu": model,
                         "manifest": HOST + "".join(entry(name, *vm) for name, vm in vms.items()),
                         "add": harness.guest_programs(*sorted({vm[0] for vm in vms.values()}))}, id=model, marks=marks)


@pytest.mark.parametrize("boot", [processor("sapphire_rapids", 34), processor("corei7_skylake_x", 11, pytest.mark.slow)],
                         indirect=True)
def test_what_cpuid_shows_works_in_every_mode_and_registers_are_each_vms_own(boot):
    """They share one CPU."""
    for name in processor_vms(0):
        boot.shows(f"{name}: stopped: the guest ended with exit code", ticks=4_000_000_000, seconds=200)
    codes = re.findall(r"^(\S+) +stopped .* the guest ended with exit code (\d+) *$", boot.ask_host("list"), re.MULTILINE)
    assert dict(codes) == dict.fromkeys(processor_vms(0), "1")


@pytest.mark.boot(manifest=HOST + entry("vmxoff", "vmxoff", "handled"), add=harness.guest_programs("vmxoff"))
def test_vmxoff_in_a_guest_is_an_undefined_opcode(boot):
    boot.shows("exception 6 error 0000000000000000")


@pytest.mark.boot(manifest=HOST + HELLO + 'cmdline = "xapic name=xapic"\n')
def test_a_guest_keeps_time_with_its_local_apic_in_memory(boot):
    boot.shows("hello from xapic: 3 seconds")


@pytest.mark.boot(manifest='[host]\nconsole = ["serial"]\ndisable = ["x2apic", "apicv", "tpr-shadow", "apic-access"]\n' + HELLO
                  + 'cmdline = "xapic name=plain"\n')
def test_a_guest_keeps_time_without_apic_virtualization(boot):
    boot.shows("hello from plain: 3 seconds")
