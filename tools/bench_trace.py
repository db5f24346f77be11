"""What the host executes for one VM exit, instruction by instruction: from the trace that Bochs's debugger prints between a
guest's marks (XCHG BX, BX; guests/bench). Pure: text in, counts out."""
import collections
import dataclasses
import re
import statistics

# (0).[784553968] [0x000007a1b36c] 0008:ffffffffa401b36c (unk. ctxt): push r15                  ; 4157
LINE = re.compile(r"^\(\d+\)\.\[\d+\] \[0x[0-9a-f]+\] [0-9a-f]{4}:(?P<rip>[0-9a-f]{16}) \(.*?\): (?P<text>.*?) *; [0-9a-f]+$")
BEGIN, END = "Tracing enabled", "Tracing disabled"
ENTRIES = ("vmresume", "vmlaunch")
LOCKED = "locked"
FROM_CR, TO_CR = "MOV from CR", "MOV to CR"
# Instructions that cost far more than their one tick on a processor.
SLOW = re.compile(r"(wrmsr|rdmsr|vmread|vmwrite|vmptrld|vmptrst|vmclear|vmresume|vmlaunch|invept|invvpid|invpcid|invlpg|wbinvd"
                  r"|sysenter|sysexit|syscall|sysret|iret|cpuid|f?xsave(s|c|opt)?(64)?|f?xrstors?(64)?|xsetbv|xgetbv|in|out|rdtscp?"
                  r"|rdpmc|i?div|popf|pushf|cli|sti|stac|clac|swapgs|hlt|pause|[mls]fence|l[gil]dt|ltr)[dq]?$")


def slow_kind(text):
    """What kind of slow instruction this is, or None."""
    words = text.split(None, 1)
    operands = words[1] if len(words) > 1 else ""
    if words[0] == "lock" or (words[0] == "xchg" and "ptr" in operands):
        return LOCKED
    if words[0] == "mov" and re.match(r"cr\d,", operands):
        return f"{TO_CR}{operands[2]}"
    if words[0] == "mov" and re.search(r", cr\d$", operands):
        return f"{FROM_CR}{operands[-1]}"
    return words[0].upper() if SLOW.match(words[0]) else None


@dataclasses.dataclass
class Window:
    """What was executed from one mark to the next."""
    lines: list          # the host's, as printed
    texts: list          # the host's instructions

    def counts(self):
        """Slow instructions by kind; the commonest first."""
        kinds = collections.Counter(filter(None, map(slow_kind, self.texts)))
        return dict(sorted(kinds.items(), key=lambda item: (-item[1], item[0])))


def windows(lines):
    """Every traced piece of the debugger's output. The host's part begins with the first instruction in the upper half of the
    address space, where the guest has none, and ends with the VM entry: programs of ring 3 lie between."""
    found = []
    is_on = in_host = False
    for line in lines:
        if line.startswith((BEGIN, END)):
            is_on, in_host = line.startswith(BEGIN), False
            if is_on:
                found.append(Window([], []))
            continue
        match = LINE.match(line.rstrip("\n"))
        if not is_on or not match:
            continue
        in_host = in_host or int(match["rip"], 16) >> 63 != 0
        if in_host:
            found[-1].lines.append(line.rstrip("\n"))
            found[-1].texts.append(match["text"])
            in_host = match["text"].split()[0] not in ENTRIES
    return found


def until_entry(window):
    """The part of a window up to its first VM entry: the rest belongs to what ran next."""
    end = next((at + 1 for at, text in enumerate(window.texts) if text.split()[0] in ENTRIES), len(window.texts))
    return Window(window.lines[:end], window.texts[:end])


def woken(window):
    """The part of a window after the host's last HLT: what it executes once an interrupt has woken it."""
    begin = max((at + 1 for at, text in enumerate(window.texts) if text.split()[0] == "hlt"), default=0)
    return Window(window.lines[begin:], window.texts[begin:])


def typical(group):
    """The window of median length: an interrupt of the host may have come in one."""
    middle = statistics.median_low(len(window.texts) for window in group)
    return next(window for window in group if len(window.texts) == middle)


def debugger_commands(count):
    """Traces count pieces between marks, one after the other, then goes on without."""
    return "c\ntrace on\nc\ntrace off\n" * count + "c\n"


def agrees(window, measured_ticks):
    """A tick is an instruction: the two figures differ by the guest's own instruction, and by what an interrupt adds."""
    return abs(len(window.texts) - measured_ticks) <= 2 + measured_ticks // 50
