"""Kernels of every boot format, each of which checks what it was given; beside them files that are refused.

The programs are of guests/boot; their C sources say what they expect of this manifest (memory, command line, modules)."""
import re
import struct
import sys

import harness
import pytest

sys.path.insert(0, str(harness.ROOT / "guests/linux"))
import build as linux_guest
import vmlinux

pytestmark = pytest.mark.boot(linux=False)

WORDS = r'-v  args=\"a b\"'
MODULES = '"boot/first one  two=2", "boot/second"'


def vm(name, kernel, more="", memory="16M", cmdline=WORDS):
    return f'\n[[vm]]\nname = "{name}"\nkernel = "boot/{kernel}"\nmemory = "{memory}"\ncmdline = "{cmdline}"\n{more}\n'


def zimage():
    """A Linux image with the header of one that starts in 16-bit mode only: its loadflags lack LOADED_HIGH."""
    header = bytearray(4096)
    for at, value in ((0x1f1, b"\x01"), (0x1fe, b"\x55\xaa"), (0x200, b"\xeb\x62HdrS"), (0x206, b"\x0c\x02")):
        header[at:at + len(value)] = value
    return bytes(header)


def demanding():
    """A Multiboot header with flag 3, which no loader knows."""
    return struct.pack("<III", 0x1badb002, 8, -(0x1badb002 + 8) & 0xffffffff) + bytes(4096)


BUILT = ("multiboot.elf", "pvh.elf", "pvh_64.elf", "multiboot_64.elf64", "multiboot_64.elf", "multiboot_addresses.bin")
FILES = (("boot/first", "first module\n"), ("boot/second", "x" * 4996 + "end\n"), ("boot/zimage", zimage()),
         ("boot/demanding", demanding()))
PVH = 'initrd = "boot/first"\nmodules = ["boot/second words"]'
MANIFEST = '[host]\nconsole = ["serial"]\n' + "".join([
    '\n[[vm]]\nname = "good"\nkernel = "hello/hello.bin"\nmemory = "4M"\ncmdline = "name=good"\n',
    vm("multiboot", "multiboot.elf", f"modules = [{MODULES}]"),
    vm("addresses", "multiboot_addresses.bin", cmdline="addresses: hello"),
    vm("wrapped", "multiboot_64.elf", cmdline="wrapped: hello"),
    vm("elf64", "multiboot_64.elf64", cmdline="elf64: hello", memory="5M"),
    vm("pvh", "pvh.elf", PVH),
    vm("pvh64", "pvh_64.elf", PVH),
    vm("zimage", "zimage"),
    vm("demanding", "demanding"),
    vm("crowded", "multiboot_64.elf", memory="4M"),
    vm("initrd", "multiboot.elf", 'modules = ["boot/nothing"]'),
])
STARTED = {"multiboot": "multiboot: done", "addresses": "TEST-PASS address fields", "wrapped": "TEST-PASS 64-bit code",
           "elf64": "TEST-PASS 64-bit code", "pvh": "pvh: done", "pvh64": "pvh: done"}
REFUSED = [
    "E212 zimage: boot/zimage: a zImage, which starts in 16-bit mode below 1 MiB; take a bzImage of Linux 2.6.31 or later",
    "E216 demanding: boot/demanding: a Multiboot kernel that demands what no loader of this version gives: flags 8; docs/",
    "E213 crowded: boot/multiboot_64.elf: the program does not fit into memory: bytes needed 4214784; raise the VM's memory",
    'VM "initrd": boot/nothing is not on the boot volume; copy it to bulkhead/boot/nothing or correct the path',
]


@pytest.mark.boot(manifest=MANIFEST, files=FILES, add=tuple(f"{harness.BUILD}/{name}=boot/{name}" for name in BUILT))
class TestBootFormats:
    def to_host(self, boot):
        boot.shows(re.compile(rb"hello from good: \d"))
        if not getattr(boot, "is_at_prompt", False):
            boot.to_host()
        boot.is_at_prompt = True

    @pytest.mark.parametrize("name", list(STARTED))
    def test_a_kernel_gets_what_its_format_promises(self, boot, name):
        self.to_host(boot)
        boot.shows(f"{name}: stopped: the guest powered off")
        text = boot.ask_host(f"output {name}")
        assert STARTED[name] in text
        assert "TEST-FAIL" not in text

    @pytest.mark.parametrize("name", ["addresses", "wrapped", "elf64"])
    def test_the_command_line_begins_with_the_file(self, boot, name):
        self.to_host(boot)
        boot.shows(f"{name}: stopped: the guest powered off")
        assert re.search(rf"boot/multiboot_\w+\.\w+ {name}: hello$", boot.ask_host(f"output {name}"), re.MULTILINE)

    @pytest.mark.parametrize("line", REFUSED, ids=[re.split(r'[: "]+', line)[1] for line in REFUSED])
    def test_a_wrong_file_is_refused_in_words(self, boot, line):
        self.to_host(boot)
        boot.shows(line)


VMLINUX = harness.BUILD / "vmlinux"
LINUX_VM = """[host]
console = ["serial"]

[[vm]]
name    = "pvh"
kernel  = "linux/vmlinux"
initrd  = "linux/initrd"
cmdline = "console=ttyS0 quiet from-pvh"
memory  = "256M"
"""


@pytest.fixture(scope="module")
def linux_elf():
    """Debian's kernel, unpacked: as bzImages it has no PVH entry."""
    VMLINUX.write_bytes(vmlinux.unpacked((linux_guest.built() / "vmlinuz").read_bytes()))


@pytest.mark.slow
@pytest.mark.boot(linux=True, without=("linux/vmlinuz",), manifest=LINUX_VM, add=(f"{VMLINUX}=linux/vmlinux",))
def test_debians_kernel_starts_by_its_pvh_entry(linux_elf, boot):
    assert "from-pvh" in boot.ask_guest("cat /proc/cmdline")
    # Linux notes the loader's type Bh, "PVH", in bits 7:4; a bzImage's is what Bulkhead writes, FFh.
    assert boot.ask_guest("cat /proc/sys/kernel/bootloader_type") == "176"
    assert re.search(r"^MemTotal: +2[0-9]{5} kB", boot.ask_guest("cat /proc/meminfo"), re.MULTILINE)
