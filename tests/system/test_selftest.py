"""Ring 0 fails on purpose (`selftest=NAME`): what its report says on the serial port and on the screen, and that nothing resets."""
import re

import harness
import pytest
import screen_text

ENDS = re.compile(rb"E602 Bulkhead stopped because of an error in itself[^\n]*\n")
REGISTERS = ("rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r15", "rip", "rflags", "cs", "ss", "cr0", "cr2", "cr3",
             "cr4")
# Name of the test, the exception, the function in which it happens.
EXCEPTIONS = [("divide", 0, "#DE", "divide_error"), ("debug", 1, "#DB", "single_step"), ("breakpoint", 3, "#BP", "breakpoint"),
              ("opcode", 6, "#UD", "invalid_opcode"), ("fpu", 7, "#NM", "device_not_available"),
              ("stack", 8, "#DF", "stack_overflow"), ("protection", 13, "#GP", "general_protection"),
              ("page", 14, "#PF", "page_fault"), ("write-text", 14, "#PF", "write_text")]

ALWAYS = ("divide", "page", "stack")


def pc(name, cpus=1):
    return {"machine": "qemu", "firmware": "bios", "linux": False, "memory": 256, "cpus": cpus, "manifest": "",
            "cmdline": f"selftest={name}"}


def case_of(name, *expected):
    return pytest.param(pc(name), *expected, id=name, marks=() if name in ALWAYS else pytest.mark.slow)


@pytest.mark.parametrize("boot,number,exception,function", [case_of(*case) for case in EXCEPTIONS], indirect=["boot"])
def test_exception_is_reported_with_registers_and_names(boot, number, exception, function):
    boot.shows(ENDS)
    report = boot.text()
    report = report[report.index("*** exception"):]
    assert f"*** exception {number} ({exception}) on cpu0 in ring 0" in report
    for register in REGISTERS:
        assert re.search(rf"\b{register} +[0-9a-f]{{4,16}}\b", report), register
    assert re.search(rf"^  at +[0-9a-f]{{16}} {function}\+0x[0-9a-f]+$", report, re.MULTILINE)
    assert re.search(r"^  from [0-9a-f]{16} kernel_main\+0x[0-9a-f]+$", report, re.MULTILINE)
    assert "The log ended:\n" in report
    assert boot.running


@pytest.mark.slow
@pytest.mark.boot(**pc("execute-data"))
def test_data_cannot_be_executed(boot):
    boot.shows(ENDS)
    report = boot.text()
    assert "*** exception 14 (#PF) on cpu0 in ring 0, error code 11" in report
    assert re.search(r"\brip ([0-9a-f]{16})\b", report).group(1) == re.search(r"\bcr2 ([0-9a-f]{16})\b", report).group(1)
    assert re.search(r"^  from [0-9a-f]{16} kernel_main\+0x", report, re.MULTILINE)


@pytest.mark.boot(**pc("assert"))
def test_assertion_names_its_place(boot):
    boot.shows(ENDS)
    assert re.search(r"\*\*\* panic on cpu0: .*kernel/selftest\.c.*boot_info == NULL", boot.text())


@pytest.mark.slow
@pytest.mark.boot(**pc("nmi"))
def test_nmi_does_not_stop_the_boot(boot):
    boot.shows("selftest: NMI returned")
    boot.shows(harness.HOST_PROMPT)


@pytest.mark.slow
@pytest.mark.boot(**pc("no-such-test"))
def test_unknown_name_is_reported(boot):
    boot.shows("E608 selftest=no-such-test: no such test")
    boot.shows(harness.HOST_PROMPT)


@pytest.mark.boot(**pc("page", cpus=4))
def test_report_of_four_cpus_is_in_one_piece(boot):
    boot.shows(ENDS)
    report = boot.text()
    assert report.count("*** ") == 1
    assert "*** exception 14 (#PF) on cpu0 in ring 0, error code 2" in report
    assert "cr2 ffffc00000000008" in report


@pytest.mark.boot(**pc("page"))
def test_report_is_on_the_screen(boot, tmp_path):
    boot.shows(ENDS)
    on_serial = boot.text()
    rows = screen_text.wait_for_row(boot, tmp_path, "E602 Bulkhead stopped")
    text = "\n".join(rows)
    for line in on_serial[on_serial.index("*** exception"):].splitlines():
        # Longer lines are broken at the edge.
        assert line.strip()[:80] in text
