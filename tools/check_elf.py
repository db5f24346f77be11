#!/usr/bin/env python3
"""Checks a linked ELF image before it is used: no memory both writable and executable, nothing undefined, and only the
relocations that its loader knows.

  check_elf.py --program FILE   a ring 3 program: static at a fixed address, no relocations at all
  check_elf.py --kernel FILE    ring 0: static-pie, R_X86_64_RELATIVE only, carries the note that loaders look for

Source: System V ABI, "ELF Header", "Program Header", "Sections", "Dynamic Section", "Note Section".
"""

import argparse
import struct
import sys

PAGE = 4096
PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE, PT_TLS = 1, 2, 3, 4, 7
PF_X, PF_W = 1, 2
ET_EXEC, ET_DYN = 2, 3
SHT_SYMTAB, SHT_RELA, SHT_REL, SHT_DYNSYM = 2, 4, 9, 11
SHF_ALLOC = 2
SHN_UNDEF = 0
DT_NEEDED, DT_RELA, DT_RELASZ, DT_TEXTREL, DT_JMPREL = 1, 7, 8, 22, 23
R_X86_64_RELATIVE = 8
PROGRAM_LOWEST = 0x400000
NOTE_NAME, NOTE_TYPE = b"Bulkhead\0", 0x42480001


class Elf:
    def __init__(self, data):
        self.data = data
        header = struct.unpack_from("<16sHHIQQQIHHHHHH", data)
        ident, self.type, machine = header[0], header[1], header[2]
        if ident[:6] != b"\x7fELF\x02\x01" or machine != 62:
            raise ValueError("not an ELF64 x86-64 file")
        self.entry = header[4]
        self.segments = [struct.unpack_from("<IIQQQQQQ", data, header[5] + i * header[9]) for i in range(header[10])]
        self.sections = [struct.unpack_from("<IIQQQQIIQQ", data, header[6] + i * header[11]) for i in range(header[12])]

    def loads(self):
        """The segments that take up memory."""
        return [s for s in self.segments if s[0] == PT_LOAD and s[6] > 0]

    def at(self, address, size):
        """The file's bytes of a span of memory."""
        for kind, _, offset, base, _, file_bytes, _, _ in self.segments:
            if kind == PT_LOAD and base <= address and address + size <= base + file_bytes:
                return self.data[offset + address - base:offset + address - base + size]
        raise ValueError(f"{address:#x} is in no segment")

    def name(self, table, offset):
        start = self.sections[table][4] + offset
        return self.data[start:self.data.index(b"\0", start)].decode()


def check_segments(elf):
    last_page = -1
    loads = sorted(elf.loads(), key=lambda s: s[3])
    if not loads:
        yield "has no segments"
    for _, flags, offset, base, _, _, memory_bytes, _ in loads:
        if flags & PF_W and flags & PF_X:
            yield f"segment at {base:#x} is writable and executable"
        if base % PAGE != 0 or offset % PAGE != 0:
            yield f"segment at {base:#x} does not start on a page"
        if base // PAGE <= last_page:
            yield f"segment at {base:#x} shares a page with the one before"
        last_page = (base + memory_bytes - 1) // PAGE
    if not any(s[1] & PF_X and s[3] <= elf.entry < s[3] + s[6] for s in loads):
        yield f"entry {elf.entry:#x} is not in an executable segment"
    for kind, word in ((PT_INTERP, "an interpreter"), (PT_TLS, "thread-local storage")):
        if any(s[0] == kind for s in elf.segments):
            yield f"wants {word}"


def check_symbols(elf):
    for section in elf.sections:
        if section[1] not in (SHT_SYMTAB, SHT_DYNSYM):
            continue
        for at in range(section[4] + 24, section[4] + section[5], 24):
            name, info, _, index, _, _ = struct.unpack_from("<IBBHQQ", elf.data, at)
            if index == SHN_UNDEF and info >> 4 != 0 and name != 0:
                yield f"symbol {elf.name(section[6], name)} is undefined"


def check_sections(elf):
    """Relocation sections that the image itself does not describe would be applied by nobody."""
    for section in elf.sections:
        if section[1] in (SHT_RELA, SHT_REL) and not section[2] & SHF_ALLOC and section[5] > 0:
            yield "keeps link-time relocations"


def dynamic_entries(elf):
    for kind, _, offset, _, _, size, _, _ in elf.segments:
        if kind == PT_DYNAMIC:
            return [struct.unpack_from("<qQ", elf.data, at) for at in range(offset, offset + size, 16)]
    return []


def check_program(elf):
    if elf.type != ET_EXEC:
        yield "is not static at a fixed address"
    if dynamic_entries(elf):
        yield "has a dynamic section"
    if min((s[3] for s in elf.loads()), default=0) < PROGRAM_LOWEST:
        yield f"begins below {PROGRAM_LOWEST:#x}"
    for section in elf.sections:
        if section[1] in (SHT_RELA, SHT_REL) and section[5] > 0:
            yield "has relocations"


def check_note(elf):
    for kind, _, offset, _, _, size, _, _ in elf.segments:
        at = offset
        while kind == PT_NOTE and at + 12 <= offset + size:
            name_bytes, value_bytes, note_type = struct.unpack_from("<III", elf.data, at)
            if elf.data[at + 12:at + 12 + name_bytes] == NOTE_NAME and note_type == NOTE_TYPE and value_bytes == 4:
                return
            at += 12 + (name_bytes + 3) // 4 * 4 + (value_bytes + 3) // 4 * 4
    yield "lacks the note with the version of struct boot_info"


def check_kernel(elf):
    if elf.type != ET_DYN:
        yield "is not position independent (static-pie)"
    dynamic = dict(entry for entry in dynamic_entries(elf))
    for tag, word in ((DT_NEEDED, "needs a shared library"), (DT_TEXTREL, "relocates read-only memory"),
                      (DT_JMPREL, "has a procedure linkage table")):
        if tag in dynamic:
            yield word
    if DT_RELA in dynamic:
        table = elf.at(dynamic[DT_RELA], dynamic.get(DT_RELASZ, 0))
        for address, info, _ in struct.iter_unpack("<QQq", table):
            if info & 0xffffffff != R_X86_64_RELATIVE:
                yield f"relocation of type {info & 0xffffffff} at {address:#x}"
    yield from check_note(elf)


def check(path, kernel):
    with open(path, "rb") as file:
        try:
            elf = Elf(file.read())
        except (ValueError, struct.error) as error:
            return [str(error)]
    problems = [*check_segments(elf), *check_symbols(elf), *check_sections(elf)]
    return problems + list(check_kernel(elf) if kernel else check_program(elf))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kind = parser.add_mutually_exclusive_group(required=True)
    kind.add_argument("--program", metavar="FILE")
    kind.add_argument("--kernel", metavar="FILE")
    arguments = parser.parse_args()
    path = arguments.program or arguments.kernel
    problems = check(path, arguments.kernel is not None)
    for problem in problems:
        print(f"{path}: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
