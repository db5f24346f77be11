#!/usr/bin/env python3
"""Makes GRUB as a guest, of Debian's package grub-coreboot-bin: a 32-bit ELF image with a Multiboot header, as it runs on PCs whose
firmware is coreboot. Such a GRUB asks coreboot's table for the memory map, so that the image gets one, in a segment of its own.

    grub.py FILE [MEMORY_MIB]       writes the image"""
import struct
import subprocess
import sys
from pathlib import Path

import package

MODULES = ("serial", "terminal", "normal", "echo", "test", "lsmmap", "halt", "cpuid")
CONFIGURATION = "serial --unit=0 --speed=115200\nterminal_input serial\nterminal_output serial\n"
TABLE_ADDRESS = 0x500       # the first place where a payload looks for it
LOW_MEMORY_END = 0xa0000
USABLE, TABLES = 1, 16      # kinds of memory
MEMORY_RECORD = 1
LOAD = 1                    # ELF: PT_LOAD
READ_WRITE = 6


def checksum(data):
    """The ones' complement sum of IP headers (RFC 1071), which coreboot's table uses."""
    total = sum(struct.unpack(f"<{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def coreboot_table(memory_bytes):
    """Header and one record: the memory map. coreboot: "coreboot tables"."""
    pieces = [(0, 0x1000, TABLES), (0x1000, LOW_MEMORY_END - 0x1000, USABLE), (0x100000, memory_bytes - 0x100000, USABLE)]
    body = b"".join(struct.pack("<QQI", *piece) for piece in pieces)
    record = struct.pack("<II", MEMORY_RECORD, 8 + len(body)) + body
    fields = [24, 0, len(record), checksum(record), 1]
    fields[1] = checksum(b"LBIO" + struct.pack("<5I", *fields))
    return b"LBIO" + struct.pack("<5I", *fields) + record


def with_segment(elf, data, address):
    """A 32-bit ELF image with one more segment, which takes the place of its header for the stack's rights."""
    result = bytearray(elf)
    headers, count = struct.unpack_from("<I", elf, 28)[0], struct.unpack_from("<H", elf, 44)[0]
    for number in range(count):
        place = headers + 32 * number
        if struct.unpack_from("<I", elf, place)[0] != LOAD:
            struct.pack_into("<8I", result, place, LOAD, len(elf), address, address, len(data), len(data), READ_WRITE, 4)
            return bytes(result) + data
    raise package.FetchError("GRUB's image has no program header to spare")


def make(output, memory_bytes):
    """Writes the image for a VM of that much memory."""
    modules = package.folder("grub", "grub-coreboot-bin", ["usr/lib/grub/i386-coreboot"]) / "i386-coreboot"
    configuration = output.with_suffix(".cfg")
    configuration.write_text(CONFIGURATION)
    subprocess.run(["grub-mkimage", "-d", str(modules), "-O", "i386-coreboot", "-p", "/boot/grub", "-c", str(configuration),
                    "-o", str(output), *MODULES], check=True)
    output.write_bytes(with_segment(output.read_bytes(), coreboot_table(memory_bytes), TABLE_ADDRESS))


if __name__ == "__main__":
    try:
        make(Path(sys.argv[1]), int(sys.argv[2] if len(sys.argv) > 2 else 64) << 20)
    except (package.FetchError, subprocess.CalledProcessError) as error:
        print(f"guests/grub.py: {error}", file=sys.stderr)
        sys.exit(1)
