"""vmm/decode against two others: operands that nasm encoded are found again, and lengths of random encodings are objdump's.

Needs the host tool decode_dump, nasm and objdump. Both sets are pseudo-random with a fixed seed.
"""
import os
import random
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("BUILD", ROOT / "build"))
SLOT = 32
LOW = {64: "rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15".split(),
       32: "eax ecx edx ebx esp ebp esi edi r8d r9d r10d r11d r12d r13d r14d r15d".split(),
       16: "ax cx dx bx sp bp si di r8w r9w r10w r11w r12w r13w r14w r15w".split(),
       8: "al cl dl bl spl bpl sil dil r8b r9b r10b r11b r12b r13b r14b r15b".split()}
HIGH = ["ah", "ch", "dh", "bh"]
SIZES = {8: "byte", 16: "word", 32: "dword", 64: "qword"}
SEGMENTS = ["es", "cs", "ss", "ds", "fs", "gs"]
DISPLACEMENTS = [0, 1, 0x7f, -0x80, 0x80, 0x1234, -0x1234]
MASK = 2**64 - 1
PREFIXES = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3]


def decode(lines):
    """What the tool prints for [(bits, bytes)], each line as numbers, None where it refuses."""
    text = "".join(f"{bits} {code.hex()}\n" for bits, code in lines)
    output = subprocess.run([(BUILD / "tools/decode_dump").resolve()], input=text, capture_output=True, text=True,
                            check=True).stdout.splitlines()
    assert len(output) == len(lines)
    return [None if line.startswith("error") else
            [int(word, 16 if at >= 9 else 10) for at, word in enumerate(line.split())] for line in output]


def assemble(bits, instructions, folder):
    """The bytes of each instruction: every one has a slot of its own, whose last byte is its length."""
    source = folder / "slots.asm"
    lines = [f"bits {bits}"]
    for number, text in enumerate(instructions):
        lines += [f"s{number}: {text}", f"e{number}: times {SLOT - 1}-(e{number}-s{number}) db 0x90",
                  f"db e{number}-s{number}"]
    source.write_text("\n".join(lines) + "\n")
    subprocess.run(["nasm", "-O1", "-f", "bin", "-w-all", "-o", folder / "slots.bin", source], check=True)
    image = (folder / "slots.bin").read_bytes()
    return [image[at:at + image[at + SLOT - 1]] for at in range(0, len(image), SLOT)]


def random_operand(chance, bits):
    """A memory operand as nasm's text, and (base, index, scale, segment or None, displacement)."""
    address_bits = chance.choice([64, 64, 32] if bits == 64 else [32, 32, 16] if bits == 32 else [16, 16, 32])
    displacement = chance.choice(DISPLACEMENTS)
    segment = chance.choice([None, None, None, 4, 5] if bits == 64 else [None, None, 0, 1, 2, 3, 4, 5])
    if address_bits == 16:
        base, index = chance.choice([(3, 6), (3, 7), (5, 6), (5, 7), (6, None), (7, None), (5, None), (3, None)])
        scale = 0
    else:
        count = 16 if bits == 64 else 8
        base = chance.choice([None, *range(count)])
        index = chance.choice([None, *[n for n in range(count) if n != 4]])
        scale = 0 if index is None else chance.choice([1, 2, 3] if base is None else [0, 1, 2, 3])
        if base is None and index is not None and scale == 1:
            scale = 2  # nasm writes [2 * r] as [r + r]
        if scale == 0 and index is not None and index == 5:
            index = 3  # nasm swaps base and index to save a byte
        if base == index and scale == 0:
            index, scale = None, 0
    names = LOW[address_bits]
    parts = [names[base]] if base is not None else []
    if index is not None:
        parts.append(names[index] if address_bits == 16 else f"{names[index]}*{1 << scale}")
    if not parts:
        displacement = 0x1234
    prefix = f"{SEGMENTS[segment]}:" if segment is not None else ""
    word = {16: "a16", 32: "a32", 64: "a64"}[address_bits] if not parts else ""
    absolute = "abs " if bits == 64 and not parts else ""
    text = f"[{prefix}{absolute}{'+'.join(parts)}{displacement:+d}]"
    return word, text, (base, index, scale, segment, displacement)


def random_instruction(chance, bits):
    """nasm's text, memory bits, register number or None, immediate or None, the operand."""
    word, text, operand = random_operand(chance, bits)
    width = chance.choice([8, 16, 32, 64] if bits == 64 else [8, 16, 32])
    needs_rex = bits == 64 and ("r8" in text or "r9" in text or "r1" in text)
    number = chance.randrange(16 if bits == 64 else 8)
    name = LOW[width][number]
    if width == 8 and 4 <= number < 8 and (bits != 64 or chance.random() < 0.5):
        name = HIGH[number - 4] if not needs_rex else LOW[8][number]
    memory = f"{SIZES[width]} {text}"
    kind = chance.randrange(5)
    operation = chance.choice(["add", "or", "adc", "sbb", "and", "sub", "xor", "cmp", "mov"])
    if kind == 0:
        operation = chance.choice([operation, "test", "xchg", "xadd", "cmpxchg"])
        return f"{word} {operation} {memory}, {name}", width, number, None, operand
    if kind == 1:
        return f"{word} {operation} {name}, {memory}", width, number, None, operand
    if kind == 2:
        immediate = chance.choice([1, -1, 0x7f, -0x80, 0x1234, -0x1234] if width > 8 else [1, -1, 0x7f, -0x80])
        return f"{word} {chance.choice([operation, 'test'])} {memory}, {immediate}", width, None, immediate, operand
    if kind == 3:
        return f"{word} {chance.choice(['inc', 'dec', 'not', 'neg'])} {memory}", width, None, None, operand
    source, target = chance.choice([pair for pair in [(8, 16), (8, 32), (16, 32), (8, 64), (16, 64)]
                                    if pair[1] <= max(bits, 32)])
    return (f"{word} {chance.choice(['movzx', 'movsx'])} {LOW[target][number]}, {SIZES[source]} {text}", source, number,
            None, operand)


@pytest.mark.parametrize("bits", [16, 32, 64])
def test_operands_are_those_that_nasm_encoded(bits, tmp_path):
    chance = random.Random(20240613 + bits)
    cases = [random_instruction(chance, bits) for _ in range(3000)]
    codes = assemble(bits, [case[0] for case in cases], tmp_path)
    for case, code, found in zip(cases, codes, decode([(bits, code) for code in codes])):
        text, width, number, immediate, (base, index, scale, segment, displacement) = case
        assert found is not None, f"{text}: {code.hex()} refused"
        length, memory, _, register, *place, found_displacement, found_immediate = found
        default = 2 if base in (4, 5) else 3
        expected = [-1 if base is None else base, -1 if index is None else index, scale,
                    default if segment is None else segment, 0]
        assert (length, memory, place) == (len(code), width // 8, expected), f"{text}: {code.hex()}"
        assert found_displacement == displacement & MASK, f"{text}: {code.hex()}"
        assert number is None or register == number, f"{text}: {code.hex()}"
        assert immediate is None or found_immediate == immediate & MASK, f"{text}: {code.hex()}"


def random_code(chance, bits):
    prefixes = bytes(chance.sample([0x66, 0x67, 0x64, 0x65], chance.choice([0, 0, 1, 2])))
    rex = bytes([chance.randrange(0x40, 0x50)]) if bits == 64 and chance.random() < 0.5 else b""
    # objdump shows a REX before another prefix as an instruction of its own
    after_prefixes = [n for n in range(256) if n not in PREFIXES and not (bits == 64 and n & 0xf0 == 0x40)]
    opcode = chance.choice([b"\x0f" + chance.randbytes(1), bytes([chance.choice(after_prefixes)])])
    return prefixes + rex + opcode + chance.randbytes(15)


def objdump_lengths(bits, codes, folder):
    """The length that objdump gives to the instruction at the start of each slot of 64 bytes, filled up with NOPs."""
    (folder / "codes.bin").write_bytes(b"".join(code.ljust(64, b"\x90") for code in codes))
    machine = {16: "i8086", 32: "i386", 64: "i386:x86-64"}[bits]
    listing = subprocess.run(["objdump", "-D", "-w", "-b", "binary", "-m", machine, folder / "codes.bin"],
                             capture_output=True, text=True, check=True).stdout
    starts = [int(start, 16) for start in re.findall(r"^ *([0-9a-f]+):\t", listing, re.MULTILINE)]
    ends = dict(zip(starts, starts[1:] + [64 * len(codes)]))
    return [ends.get(64 * number, 0) - 64 * number for number in range(len(codes))]


@pytest.mark.parametrize("bits", [16, 32, 64])
def test_lengths_are_those_of_objdump(bits, tmp_path):
    chance = random.Random(19700101 + bits)
    tried = [random_code(chance, bits) for _ in range(30000)]
    accepted = [(code[:found[0]], found[0]) for code, found in zip(tried, decode([(bits, code) for code in tried]))
                if found is not None]
    assert len(accepted) > 2000
    for (code, length), expected in zip(accepted, objdump_lengths(bits, [code for code, _ in accepted], tmp_path)):
        assert length == expected, code.hex()
