"""What is wrong with one VM, one file or one PC is said in words with a code, and stops nothing else."""
import random
import re
import struct

import harness
import pytest

GUESTS = ("triple_fault", "jump_unmapped", "vmxoff", "flood_serial")
MEBIBYTE = 1 << 20


def bzimage(size_bytes):
    """The header of a kernel of 1 MiB that wants 8 MiB from 16 MiB on, and zeros. Linux, "The Linux/x86 Boot Protocol"."""
    image = bytearray(size_bytes)
    struct.pack_into("<BHIHHHH", image, 0x1f1, 4, 0, MEBIBYTE // 16, 0, 0, 0, 0xaa55)
    struct.pack_into("<H4sH", image, 0x200, 0x6aeb, b"HdrS", 0x020f)
    struct.pack_into("<B", image, 0x211, 1)
    struct.pack_into("<IB", image, 0x230, 1 << 21, 21)
    struct.pack_into("<HI", image, 0x236, 1, 2047)
    struct.pack_into("<QI", image, 0x258, 1 << 24, 1 << 23)
    return bytes(image)


def vm(name, kernel="hello/hello.bin", more='memory = "16M"'):
    return f'[[vm]]\nname = "{name}"\nkernel = "{kernel}"\n{more}\n\n'


MANIFEST = "".join([
    vm("good", more='memory = "16M"\ncmdline = "name=good"'),
    vm("missing", "no/such-file"),
    vm("truncated", "bad/truncated", 'memory = "64M"'),
    vm("text", "bad/text"),
    vm("greedy", more='memory = "900G"'),
    vm("unknown-key", more='memroy = "16M"'),
    vm("wrong-type", more="memory = true"),
    vm("good", "hello/hello.bin"),
    vm("no-vcpus", more="vcpus = 0"),
    vm("astronomic", more="memory = 100000000000000000000"),
    vm("astronomic-text", more='memory = "100000000000000000000"'),
    vm("small", "bad/whole", 'memory = "23M"'),
    *(vm(name, f"bad/{name}.bin") for name in GUESTS)])
BIOS = {"firmware": "bios", "linux": False, "memory": 512}
FILES = (("bad/truncated", bzimage(8192)), ("bad/whole", bzimage(2 * MEBIBYTE)), ("bad/text", "not a kernel\n" * 50))
ALL_BAD = {**BIOS, "manifest": MANIFEST, "files": FILES,
           "add": tuple(f"{harness.BUILD}/{name}.bin=bad/{name}.bin" for name in GUESTS)}
# In Bulkhead's log.
MESSAGES = [
    r'E201 bulkhead\.toml line \d+: VM "missing": no/such-file is not on the boot volume; copy it to bulkhead/no/such-file',
    r"E211 truncated: bad/truncated: file is shorter than its header says.*; .*copy the file again",
    r"E210 text: bad/text: no kernel of a known format; correct kernel",
    r'E203 bulkhead\.toml line \d+: VM "greedy" wants 900G \(921600 MiB\) of memory, but \d+ MiB are left .*; lower memory',
    r'E105 bulkhead\.toml line \d+: key "memroy" is not known in \[\[vm\]\]; did you mean "memory"\?',
    r'E106 bulkhead\.toml line \d+: memory is true or false; write a size, like "512M"',
    r'E109 bulkhead\.toml line \d+: name "good" is already that of the VM on line 1; choose another',
    r"E107 bulkhead\.toml line \d+: vcpus is 0; write 1 to 64",
    r"E107 bulkhead\.toml line 50: memory is 100000000000000000000; write at least 2M, at most 1T",
    r"E107 bulkhead\.toml line 55: memory is 100000000000000000000; write at least 2M, at most 1T",
    r"E213 small: bad/whole: the kernel does not fit into memory: bytes of memory needed 25165824; raise the VM's memory",
    r"E301 triple_fault: stopped: triple fault.*rip 0x[0-9a-f]+",
    r"E307 jump_unmapped: stopped: the guest jumped to an address without memory: physical address d0000000 \(rip 0xd0000000",
    r"E301 vmxoff: stopped: triple fault.*rip 0x[0-9a-f]+",
]
IDS = ["missing", "truncated", "no-kernel", "too-much-memory", "unknown-key", "wrong-type", "duplicate", "no-vcpus",
       "astronomic-number", "astronomic-text", "small-for-kernel", "triple-fault", "jump-unmapped", "vmxoff"]
REFUSED = ("missing", "truncated", "text", "greedy", "unknown-key", "wrong-type", "no-vcpus", "astronomic", "astronomic-text",
           "small")


@pytest.mark.boot(**ALL_BAD)
class TestAllBadVmsBesideAGoodOne:
    def log(self, boot):
        return boot.log_once("hello from good: 3 seconds", "flood_serial: runs")

    @pytest.mark.parametrize("message", MESSAGES, ids=IDS)
    def test_message(self, boot, message):
        log = self.log(boot)
        assert re.search(message, log), log

    def test_list_shows_each_vm_as_it_is(self, boot):
        self.log(boot)
        states = boot.states()
        assert "running" in states["good"]
        assert "running" in states["flood_serial"]
        for name in REFUSED:
            assert "not started" in states[name] or "refused" in states[name]
        for name in ("triple_fault", "jump_unmapped", "vmxoff"):
            assert "stopped" in states[name] or "failed" in states[name]


HELLO = vm("hello")


@pytest.mark.parametrize("boot", [{**BIOS, "machine": "qemu", "memory": size, "manifest": HELLO} for size in (8, 12)],
                         indirect=True, ids=["8M", "12M"])
def test_too_little_memory_is_said(boot):
    boot.shows(re.compile(rb"E504: no \d+ KiB of free memory in one piece[^\0]*256 MiB is the least that is supported|"
                          rb"E603 too little memory: \d+ MiB usable; fit more: 256 MiB is the least that is supported"),
               seconds=120)
    if "E603" in boot.text():
        boot.shows(re.compile(rb'E621 boot stopped at step "memory" \(status \d+\); the line above says why'), seconds=120)
    assert boot.running


@pytest.mark.boot(**{**BIOS, "machine": "qemu", "memory": 64, "manifest": vm("large", more='memory = "64M"')})
def test_little_memory_refuses_the_vm_only(boot):
    boot.shows(re.compile(rb'E203 [^\r\n]*VM "large" wants 64M \(64 MiB\) of memory, but \d\d MiB are left'), seconds=120)
    boot.shows(harness.HOST_PROMPT)


@pytest.mark.boot(**BIOS, machine="qemu", files=(("bulkhead.toml", random.Random(1).randbytes(MEBIBYTE)),), manifest="")
def test_random_manifest_starts_nothing_but_the_prompt(boot):
    boot.shows(re.compile(rb"E10[12] bulkhead\.toml line 1"), seconds=60)
    boot.pc.seek(0)
    boot.wait_for(harness.HOST_PROMPT)
    boot.power_off()


OLD = ("core2_penryn_t9600", "corei5_lynnfield_750")


@pytest.mark.parametrize("boot", [{**BIOS, "manifest": HELLO, "cpu": cpu} for cpu in OLD], indirect=True,
                         ids=["no-ept", "no-unrestricted-guest"])
def test_old_vtx_is_refused_in_words(boot):
    lacking = "extended page tables" if "penryn" in boot.arguments["cpu"] else "unrestricted guest"
    boot.shows(f"E404 hello: not started: this processor's VT-x lacks: {lacking}")
    # The terminal is at the prompt already, which is drawn again below the notice.
    boot.wait_for(harness.HOST_PROMPT)
    boot.power_off()
    assert not boot.running


# Firmware locks VT-x off on every CPU, or on some; VT-x is then named, and so is what to switch on.
@pytest.mark.parametrize("boot", [{**BIOS, "manifest": HELLO, "cpus": 2, "vtx_lock": lock} for lock in ("off", "off on others")],
                         indirect=True, ids=["every-cpu", "one-cpu"])
def test_vtx_locked_off_is_refused_in_words(boot):
    count = "2 CPUs" if boot.arguments["vtx_lock"] == "off" else "1 CPU"
    boot.shows(f"E402 hello: not started: VT-x is locked off by the firmware on {count}; switch on "
               '"Intel Virtualization Technology" (VT-x, VMX) in the firmware setup, then power the PC off and on')
    boot.wait_for(harness.HOST_PROMPT)
    assert "not started" in boot.ask_host("list")
    boot.power_off()
    assert not boot.running


# VMXON faults unless the lock bit and the VMX bit are set: Bulkhead sets both where firmware has left them clear.
@pytest.mark.parametrize("boot", [{**BIOS, "manifest": HELLO, "cpus": 2, "vtx_lock": lock} for lock in ("unlocked", None)],
                         indirect=True, ids=["unlocked", "locked-on"])
def test_vtx_left_unlocked_or_on_runs_vms(boot):
    boot.shows("hello from hello: 2 seconds")
