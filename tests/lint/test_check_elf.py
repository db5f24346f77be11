"""tools/check_elf.py: what it accepts, and each thing that it must find, on small images that gcc links here."""
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = "int data = 1; void missing(void); void _start(void) { data++; missing(); }"
STATIC = ["-fno-pie", "-no-pie", "-static", "-Wl,--unresolved-symbols=ignore-all"]
STATIC_PIE = ["-fPIE", "-static-pie"]
NOTE = """
__asm__(".section .note.b,\\"a\\",@note; .long 9, 4, 0x42480001; .asciz \\"Bulkhead\\"; .balign 4; .long 1; .text");
static int one; int *pointer = &one; void _start(void) { (*pointer)++; }
"""


@pytest.fixture
def link(tmp_path):
    def make(source, *flags):
        (tmp_path / "a.c").write_text(source)
        subprocess.run(["gcc", "-O1", "-nostdlib", "-ffreestanding", "-fcf-protection=none", "-Wl,--build-id=none",
                        "-Wl,-z,noexecstack", "-Wl,-z,max-page-size=4096", "-o", tmp_path / "a", tmp_path / "a.c", *flags],
                       check=True, capture_output=True)
        return tmp_path / "a"
    return make


def check(kind, path):
    done = subprocess.run([sys.executable, ROOT / "tools/check_elf.py", kind, path], capture_output=True, text=True)
    return done.returncode, done.stderr


def test_check_elf_accepts_a_right_program(link):
    linker_script = f"-Wl,-T,{ROOT / 'user/program.ld'}"
    path = link("int data = 1; void program_start(void) { data++; }", *STATIC, linker_script)
    assert check("--program", path) == (0, "")


def test_check_elf_finds_memory_that_is_writable_and_executable(link):
    status, words = check("--program", link(SOURCE, *STATIC, "-Wl,-N", "-Wl,-Ttext=0x400000"))
    assert status == 1
    assert "writable and executable" in words


def test_check_elf_finds_undefined_symbols(link):
    status, words = check("--program", link(SOURCE, "-r"))
    assert status == 1
    assert "symbol missing is undefined" in words


def test_check_elf_finds_relocations_in_a_program(link):
    status, words = check("--program", link(NOTE, *STATIC_PIE))
    assert status == 1
    assert "not static" in words and "relocations" in words


def test_check_elf_finds_a_program_that_is_too_low(link):
    status, words = check("--program", link(SOURCE, *STATIC, "-Wl,-Ttext-segment=0x10000", "-Wl,-z,separate-code"))
    assert status == 1
    assert "begins below 0x400000" in words


def test_check_elf_wants_the_kernels_note(link):
    without = NOTE.replace("0x42480001", "0x42480002")
    assert "lacks the note" not in check("--kernel", link(NOTE, *STATIC_PIE))[1]
    status, words = check("--kernel", link(without, *STATIC_PIE))
    assert status == 1
    assert "lacks the note" in words


def test_check_elf_refuses_other_files(tmp_path):
    (tmp_path / "text").write_text("not an ELF file")
    status, words = check("--program", tmp_path / "text")
    assert status == 1
    assert words
