"""The parser of the debugger's trace against a piece of one, and what counts as a slow instruction."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "tools"))
import bench_trace  # noqa: E402

# Two marked rounds: a port access that a program of ring 3 answered, and a piece without an exit.
TRACE = """\
(0) Magic breakpoint
Next at t=100
(0) [0x000000b000ec] 0010:00000000001000ec (unk. ctxt): out 0x80, al              ; e680
Tracing enabled for CPU0
(0).[100] [0x000000b000ec] 0010:00000000001000ec (unk. ctxt): out 0x80, al              ; e680
(0).[101] [0x000007a1b36c] 0008:ffffffffa401b36c (unk. ctxt): push r15                  ; 4157
(0).[102] [0x000007a1b370] 0008:ffffffffa401b370 (unk. ctxt): vmread rax, rdx           ; 0f78d0
(0).[103] [0x000007a1b374] 0008:ffffffffa401b374 (unk. ctxt): lock xadd dword ptr ds:[rdi+4], eax ; f00fc14704
(0).[104] [0x000007a1b378] 0008:ffffffffa401b378 (unk. ctxt): xchg byte ptr ds:[rbx], al ; 8603
(0).[105] [0x000007a1b37c] 0008:ffffffffa401b37c (unk. ctxt): mov rdx, cr2              ; 0f20d2
(0).[106] [0x000007a1b380] 0008:ffffffffa401b380 (unk. ctxt): sysexit                   ; 480f35
(0).[107] [0x000003000100] 002b:0000000000401000 (unk. ctxt): sysenter                  ; 0f34
(0).[108] [0x000007a1b390] 0008:ffffffffa401b390 (unk. ctxt): mov cr3, rax              ; 0f22d8
(0).[109] [0x000007a1b3a0] 0008:ffffffffa401b3a0 (unk. ctxt): xchg rax, rbx             ; 4893
(0).[110] [0x000007a1b3a4] 0008:ffffffffa401b3a4 (unk. ctxt): vmresume                  ; 0f01c3
(0).[111] [0x000000b000ee] 0010:00000000001000ee (unk. ctxt): xchg bx, bx               ; 6687db
(0) Magic breakpoint
Next at t=112
(0) [0x000000b000f1] 0010:00000000001000f1 (unk. ctxt): sub esi, 0x00000001       ; 83ee01
Tracing disabled for CPU0
(0).[113] [0x000007a1b390] 0008:ffffffffa401b390 (unk. ctxt): this line is of no piece ; 90
Tracing enabled for CPU0
(0).[200] [0x000000b000ec] 0010:00000000001000ec (unk. ctxt): wrmsr                     ; 0f30
(0).[201] [0x000000b000ee] 0010:00000000001000ee (unk. ctxt): xchg bx, bx               ; 6687db
Tracing disabled for CPU0
"""


def test_windows_count_the_host_only():
    exit_piece, quiet_piece = bench_trace.windows(TRACE.splitlines(keepends=True))[:2]
    assert len(exit_piece.texts) == 10
    assert exit_piece.texts[0] == "push r15" and exit_piece.texts[-1] == "vmresume"
    assert quiet_piece.texts == []


def test_counts_name_each_kind():
    counts = bench_trace.windows(TRACE.splitlines())[0].counts()
    assert counts == {"locked": 2, "MOV from CR2": 1, "MOV to CR3": 1, "SYSENTER": 1, "SYSEXIT": 1, "VMREAD": 1, "VMRESUME": 1}
    assert next(iter(counts)) == "locked"


@pytest.mark.parametrize("text, kind", [
    ("wrmsr", "WRMSR"), ("invept rax, ds:[rsp]", "INVEPT"), ("vmptrld qword ptr ds:[rsp]", "VMPTRLD"),
    ("xsave64 qword ptr ds:[rdi]", "XSAVE64"), ("xsaves64 qword ptr ds:[rdi]", "XSAVES64"),
    ("fxrstor qword ptr ds:[rdi]", "FXRSTOR"), ("lock or dword ptr ds:[rdi], 1", "locked"),
    ("mov cr0, rax", "MOV to CR0"), ("mov rax, cr4", "MOV from CR4"),
    ("mov eax, dword ptr ds:[rdi]", None), ("xchg ax, ax", None), ("ret", None),
])
def test_slow_kind(text, kind):
    assert bench_trace.slow_kind(text) == kind


def test_typical_is_the_median():
    lengths = [12, 300, 10]
    pieces = [bench_trace.Window([], ["nop"] * length) for length in lengths]
    assert len(bench_trace.typical(pieces).texts) == 12


def test_woken_is_what_follows_the_last_halt():
    texts = ["push r15", "hlt", "iret", "hlt", "push rax", "vmresume"]
    assert bench_trace.woken(bench_trace.Window(list(texts), texts)).texts == ["push rax", "vmresume"]
    assert bench_trace.woken(bench_trace.Window(["nop"], ["nop"])).texts == ["nop"]


def test_until_entry_ends_with_the_first_entry():
    texts = ["push r15", "vmlaunch", "push rax", "vmresume"]
    assert bench_trace.until_entry(bench_trace.Window(list(texts), texts)).texts == ["push r15", "vmlaunch"]
    assert bench_trace.until_entry(bench_trace.Window(["nop"], ["nop"])).texts == ["nop"]


def test_agrees_within_the_guests_own_instruction():
    piece = bench_trace.Window([], ["nop"] * 225)
    assert bench_trace.agrees(piece, 228)
    assert not bench_trace.agrees(piece, 250)


def test_debugger_commands_trace_each_piece():
    assert bench_trace.debugger_commands(2).count("trace on") == 2
