#!/usr/bin/env python3
"""`make lint`: the rules of this project that a tool can check. Prints file:line: rule: message; exit 1 on findings.

Owns the rules' numbers, tables and exceptions; what C and nasm text looks like is in tools/c_source.py. Each rule is a
function that yields (path, line, message); RULES lists them. Exceptions are named below, each with its reason.
Not here: what the compiler checks (-Wconversion, -Wswitch-enum, -Wvla, missing prototypes), which `make` does.
"""
import ast
import concurrent.futures
import fnmatch
import os
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import c_source  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("BUILD", "build"))
CC = os.environ.get("CC", "gcc")

FILE_LINES = 400        # over it, the head comment must say why
FILE_LINES_NEVER = 600
FUNCTION_LINES = 80
COLUMNS = 132           # a tab counts 8
TESTED_WORDS = 3        # of an error message, in a test that expects it
HEAD_COMMENT_LINES = 3  # within the first lines of a file
CODE = (".c", ".h")
SOURCES = (".c", ".h", ".asm")
TEXTS = SOURCES + (".py", ".md", ".mk", ".ld", ".toml", ".asl", ".cfg", ".patch", ".sh")

# Who may include whom, the longest matching folder first: docs/architecture.md, "Layers".
# tests/ and tools/ may include anything, and nothing includes them.
INCLUDES = {
    "abi/": [],
    "lib/": ["abi/"],
    "boot/": ["abi/", "lib/"],
    "kernel/": ["abi/", "lib/"],
    "virt/": ["kernel/", "abi/", "lib/"],
    "vmx/": ["virt/", "kernel/", "abi/", "lib/"],
    "drivers/virt/": ["abi/status.h", "lib/"],
    "drivers/host/": ["abi/status.h", "abi/boot_info.h", "lib/"],
    "user/": ["abi/", "lib/"],
    "vmm/": ["drivers/virt/", "user/", "abi/", "lib/"],
    "console/": ["drivers/host/", "user/", "abi/", "lib/"],
    "switch/": ["user/", "abi/", "lib/"],
    "manager/": ["user/", "abi/", "lib/"],
    "guests/": ["abi/"],
    "tests/": ["*"],
    "tools/": ["*"],
}
FREESTANDING_HEADERS = {"stdint.h", "stddef.h", "stdbool.h", "stdarg.h", "stdatomic.h"}
SYSTEM_HEADERS = {"boot/efi/": {"efi.h", "efilib.h"}, "guests/linux/": None, "tests/": None, "tools/": None}

# Inline assembly: single-instruction wrappers, and what C cannot say without it (style rules 5, 32, 37).
INLINE_ASSEMBLY = {
    "kernel/cpu_insn.h": "single privileged instructions",
    "kernel/msr.h": "RDMSR and WRMSR that may fault",
    "kernel/offsets.h": "structure offsets for nasm",
    "kernel/selftest.c": "each self test is one faulting instruction",
    "kernel/percpu.h": "reads RSP, which finds the CPU's own data",
    "kernel/main.c": "names an address in the boot stack for the entry code; no instruction",
    "virt/fpu_insn.h": "single instructions of the FPU's state",
    "user/random_insn.h": "RDSEED, RDRAND and the leaves of CPUID that show them",
    "user/cpuid_insn.h": "one wrapper of CPUID",
    "vmx/vmx_insn.h": "single VMX instructions",
    "boot/common/cpu.h": "single privileged instructions of the loaders",
    "user/clock.h": "RDTSC",
    "user/lock.h": "PAUSE",
    "lib/base/string.c": "REP MOVS and STOS",
    "guests/*": "guest programs are bare",
    "tests/*": "test programs of the host and of guests",
    "tools/*": "programs of the developer's PC",
}
CONDITIONALS = {
    "kernel/config.h": "the one place for compile-time choices",
}
RIP_WRITERS = {
    "vmx/registers.c": "a vCPU's registers as its VMM sets them, not on the way of an exit",
    "vmx/exit.c": "vmx_advance(), the dispatcher's own step",
}
ADVANCE_CALLERS = {
    "vmx/exit.c": "the dispatcher",
    "vmx/vmx_ops.c": "gives it to virt/ as an operation",
    "vmx/inject.c": "owns it",
    "vmx/inject.h": "declares it",
    "virt/reply.c": "a reply of the VMM that retires an instruction",
    "virt/vcpu_run.c": "a reply of the VMM that retires an instruction",
    "virt/hv.h": "declares the operation",
}
GUEST_POINTER_FILES = {
    "vmm/gmem.c": "owns them",
    "vmm/gmem.h": "declares the slot",
    "vmm/load/load.c": "gmem_for_boot_image(), the named exception: a boot image is read straight into place",
    "vmm/start.c": "the same: the initrd",
    "tests/*": "tests look at the memory that they lent",
}
# Globals that change, in code that must also run twice in one host process: none.
PURE_FOLDERS = ("lib/", "drivers/virt/", "vmm/decode/", "vmm/load/", "vmm/acpi/", "vmm/event/")
USER_MEMORY_WINDOW = ("kernel/faultable.asm",)

FILE_SCOPE_VARIABLE = re.compile(r"^(?:static )?(?!const|inline|typedef|extern|return|enum|_Static_assert)[\w ]+[ *]\w+"
                                 r"(?:\[[^\]]*\])*(?: =[^;]*)?;", re.MULTILINE)
STATUS_FUNCTION = re.compile(r"^((?:MUST_CHECK |static |inline |extern )*)enum status (\w+)\([^;{]*?([;{])", re.MULTILINE)
MARKERS = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
MACHINE_PATHS = re.compile(r"(?<![\w.}\"])/(?:work|root|home/\w+|tmp/brief)/")
MIRROR_HOSTS = re.compile(r"\b[\w.-]+\.debian\.org|\barchive\.ubuntu\.com|\bpypi\.org|\bfiles\.pythonhosted\.org", re.IGNORECASE)


class Tree:
    """Every file of the project and its text, read once. text: other files instead ({path: text}), for tests."""

    def __init__(self, text=None):
        self.text = read_files() if text is None else text
        self.code = {}
        for name in self.names(*SOURCES):
            self.code[name] = c_source.code_only(name, self.text[name])
        self.plain = {name: c_source.without_directives(self.code[name]) for name in self.names(*CODE)}

    def names(self, *endings, under=()):
        return [name for name in sorted(self.text) if name.endswith(endings) and (not under or name.startswith(under))]


def read_files():
    texts = {}
    for name in list_files():
        try:
            texts[name] = (ROOT / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue
    return texts


def list_files():
    answer = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False)
    if answer.returncode == 0 and answer.stdout:
        return answer.stdout.splitlines()
    found = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in (".git", "build", "__pycache__")]
        found += [os.path.relpath(os.path.join(folder, name), ROOT) for name in files]
    return found


def matches(name, patterns):
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def search(pattern, text):
    for match in re.finditer(pattern, text):
        yield c_source.line_of(text, match.start()), match


# --- Size and form (rules 1, 2, 3, 5)

def head_comment(name, text):
    """The first comment of a file, or None; a #! line may stand before it."""
    body = re.sub(r"\A#![^\n]*\n", "", text)
    start = "\n".join(body.split("\n")[:HEAD_COMMENT_LINES]).lstrip()
    if name.endswith(".py"):
        match = re.match(r'r?"""(.*?)"""', body.lstrip(), re.DOTALL)
    elif name.endswith(".asm"):
        match = re.match(r"((?:\s*;[^\n]*\n)+)", body)
    elif name.endswith((".mk", ".cfg")) or not name.endswith(SOURCES):
        match = re.match(r"((?:#[^\n]*\n)+)", body)
    else:
        match = re.match(r"(/\*.*?\*/)", body.lstrip(), re.DOTALL)
    return match.group(1) if match and start else None


def rule_head_comment(tree):
    for name in tree.names(".c", ".h", ".asm", ".py"):
        if tree.text[name].strip() and head_comment(name, tree.text[name]) is None:
            yield name, 1, "no head comment: what this file owns, what it does not, the manual's chapter by title"


def rule_file_size(tree):
    for name in tree.names(*SOURCES):
        lines = tree.text[name].count("\n")
        if lines > FILE_LINES_NEVER:
            yield name, lines, f"{lines} lines, over {FILE_LINES_NEVER}: split it by concept"
        elif lines > FILE_LINES:
            reason = head_comment(name, tree.text[name]) or ""
            if not re.search(r"\blines\b|one\s+file\s+because", reason, re.IGNORECASE):
                yield name, lines, f"{lines} lines, over {FILE_LINES}: the head comment must say \"one file because ...\""


def rule_function_size(tree):
    for name in tree.names(*CODE):
        for function, first, last, _ in c_source.functions(tree.plain[name]):
            if last - first + 1 > FUNCTION_LINES:
                yield name, first, f"{function}() has {last - first + 1} lines, over {FUNCTION_LINES}"


def rule_line(tree):
    for name in sorted(tree.text):
        if not name.endswith(TEXTS) and name not in ("Makefile", "dev"):
            continue
        text, spaces = tree.text[name], []
        for number, line in enumerate(text.split("\n"), 1):
            if name.endswith(SOURCES + (".py",)) and len(line.expandtabs(8)) > COLUMNS:
                yield name, number, f"{len(line.expandtabs(8))} columns, over {COLUMNS}"
            if name.endswith(".patch"):
                continue
            if line != line.rstrip():
                yield name, number, "blanks at the end of the line"
            if name.endswith(SOURCES) and re.match(r"\t* {8}", line) and not line.endswith("\\"):
                spaces.append(number)
            if name.endswith(".py") and "\t" in line:
                yield name, number, "a tab"
        if spaces:
            yield name, spaces[0], f"{len(spaces)} lines indented by spaces, not by tabs"
        if text and not text.endswith("\n"):
            yield name, text.count("\n") + 1, "no newline at the end of the file"
        if "\r" in text:
            yield name, 1, "carriage returns"


def rule_pragma_once(tree):
    for name in tree.names(".h"):
        if not re.search(r"^#pragma once$", tree.text[name], re.MULTILINE):
            yield name, 1, "no #pragma once"


def rule_conditional(tree):
    for name in tree.names(*CODE):
        if name in CONDITIONALS or name.startswith(("tests/", "tools/")):
            continue
        for line, match in search(r"(?m)^[ \t]*#[ \t]*(if|ifdef|ifndef|elif|else)\b", tree.code[name]):
            yield name, line, f"#{match.group(1)} outside kernel/config.h: variation is by link (rule 5)"
    for name in tree.names(".asm"):
        for line, match in search(r"(?m)^[ \t]*%(ifdef|ifndef)\b", tree.code[name]):
            yield name, line, f"%{match.group(1)}: variation is by link (rule 5)"


def rule_orphan(tree):
    """A source that no fragment names is built by nobody and tested by nobody."""
    made = "\n".join(tree.text[name] for name in tree.text if name.endswith(".mk") or name == "Makefile")
    tests = set(re.findall(r"\w+", " ".join(re.findall(r"UNIT_TESTS \+=((?:[^\n]*\\\n)*[^\n]*)", made))))
    targets = set(re.findall(r"\w+", " ".join(re.findall(r"FUZZ_TARGETS \+=((?:[^\n]*\\\n)*[^\n]*)", made))))
    patterns = re.findall(r"\$\(wildcard ([^)]*)\)", made)
    wild = [pattern for group in patterns for pattern in group.split()]
    runners = "\n".join(tree.text[name] for name in tree.names(".py"))
    for name in tree.names(".c", ".asm"):
        stem = Path(name).stem
        if name.startswith("tests/unit/"):
            if stem.replace("test_", "", 1) not in tests:
                yield name, 1, "a unit test in no fragment's UNIT_TESTS: it never runs"
        elif name.startswith("tests/fuzz/"):
            if stem.replace("fuzz_", "", 1) not in targets:
                yield name, 1, "a fuzz target in no fragment's FUZZ_TARGETS"
        elif str(Path(name).with_suffix("")) not in made and not matches(name, wild) and Path(name).name not in runners:
            yield name, 1, "no fragment builds this file"


# --- Include direction (rule 4), headers (rule 3)

def folder_of(name):
    return max((folder for folder in INCLUDES if name.startswith(folder)), key=len, default=None)


def rule_include(tree):
    for name in tree.names(*CODE):
        folder = folder_of(name)
        if folder is None:
            yield name, 1, "a folder that tools/lint.py's table of layers does not know"
            continue
        text = c_source.without_comments(name, tree.text[name])
        for line, match in search(r'(?m)^[ \t]*#[ \t]*include[ \t]+(["<])([^">]+)[">]', text):
            yield from check_include(tree, name, folder, line, match.group(1), match.group(2))


def check_include(tree, name, folder, line, mark, target):
    if mark == "<":
        allowed = FREESTANDING_HEADERS
        for under in SYSTEM_HEADERS:
            if name.startswith(under):
                more = SYSTEM_HEADERS[under]
                allowed = None if more is None else allowed | more
        if allowed is not None and target not in allowed:
            yield name, line, f"<{target}> is no freestanding header"
        return
    if target in tree.text and target.endswith(".h"):
        own = target.startswith(folder)
        if not own and not any(rule == "*" or target.startswith(rule) for rule in INCLUDES[folder]):
            yield name, line, f"{folder} may not include {target}: only {', '.join(INCLUDES[folder]) or 'nothing'}"
    elif target in tree.text:
        yield name, line, f"includes {target}, which is no header"
    elif not is_generated(target, tree):
        yield name, line, f'"{target}" is no path from the repository\'s root'


def is_generated(target, tree):
    return target.rsplit("/", 1)[-1] in "\n".join(tree.text[name] for name in tree.text if name.endswith(".mk"))


def header_flags(name):
    gcc_include = subprocess.run([CC, "-print-file-name=include"], capture_output=True, text=True, check=True).stdout.strip()
    flags = ["-std=c11", "-I.", f"-I{BUILD}/generated", "-Wall", "-Wextra", "-Wno-unused-function", "-Werror"]
    if name.startswith(("tests/", "tools/")):
        return flags + ["-D_GNU_SOURCE"]
    flags += ["-ffreestanding", "-nostdinc", "-isystem", gcc_include, "-mgeneral-regs-only"]
    if name.startswith("boot/efi/"):
        flags += ["-DGNU_EFI_USE_MS_ABI", "-isystem", "/usr/include/efi", "-isystem", "/usr/include/efi/x86_64"]
    return flags


def is_fresh(stamp):
    """The header passed before and nothing that it includes is newer."""
    if not stamp.exists():
        return False
    needed = stamp.read_text(encoding="utf-8").replace("\\\n", " ").split()[1:]
    try:
        return all((ROOT / path).stat().st_mtime <= stamp.stat().st_mtime for path in needed)
    except FileNotFoundError:
        return False


def compile_alone(name):
    stamp = (ROOT / BUILD).resolve() / "lint" / (name.replace("/", "+") + ".d")
    if is_fresh(stamp):
        return None
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    words = [CC, *header_flags(name), "-fsyntax-only", "-x", "c", "-include", name, "/dev/null", "-MD", "-MF", str(stamp) + ".new"]
    answer = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    if answer.returncode == 0:
        os.replace(str(stamp) + ".new", stamp)
        return None
    Path(str(stamp) + ".new").unlink(missing_ok=True)
    return next((line for line in answer.stderr.splitlines() if "error:" in line), answer.stderr.strip()[:200])


def rule_self_contained(tree):
    names = [name for name in tree.names(".h") if not name.startswith("guests/")]
    if not Path("/usr/include/efi/efi.h").exists():
        names = [name for name in names if not name.startswith("boot/efi/")]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for name, problem in zip(names, pool.map(compile_alone, names)):
            if problem:
                yield name, 1, f"does not compile alone: {problem}"


# --- The hypervisor's own rules (7, 12, 13, 14, 15, 21, 23, 26, 37)

def rule_vmcs(tree):
    """No VMCS encoding leaves vmx/ (rule 7, docs/architecture.md)."""
    for name in tree.names(*SOURCES):
        if name.startswith(("vmx/", "tests/")):
            continue
        for line, match in search(r"\bVMCS_[A-Z]\w*|\bvmcs_(?:read|write)\w*|\b(?:vmread|vmwrite)\b", tree.code[name]):
            yield name, line, f"{match.group()} outside vmx/"
    for name in tree.names(*CODE, under=("vmx/",)):
        for line, _ in search(r"\bvmcs_(?:read|write)\w*\(\s*(?:0x|\d)", tree.code[name]):
            yield name, line, "a VMCS field by number: name it in vmx/vmcs_fields.h"


def rule_rip(tree):
    """Only the dispatcher moves RIP (rule 13)."""
    for name in tree.names(*CODE):
        if name.startswith("tests/"):
            continue
        for line, _ in search(r"\bvmcs_write\w*\(\s*VMCS_GUEST_RIP\b", tree.code[name]):
            if name not in RIP_WRITERS:
                yield name, line, "writes VMCS_GUEST_RIP: only the dispatcher moves RIP"
        for line, match in search(r"\bvmx_advance\b|->advance\(", tree.code[name]):
            if name not in ADVANCE_CALLERS:
                yield name, line, f"{match.group()}: only the dispatcher moves RIP; a handler answers with a verdict"


def rule_exit_table(tree):
    """One list makes the exit reasons, names and handlers; a handler answers with a verdict (rules 12, 14)."""
    lists = [(name, line) for name in tree.names(*CODE) for line, _ in search(r"#define EXIT_REASONS\(", tree.code[name])]
    if not lists:
        return
    for name, line in lists[1:]:
        yield name, line, f"a second list of exit reasons; the first is {lists[0][0]}:{lists[0][1]}"
    name, line = lists[0]
    entries = re.search(r"#define EXIT_REASONS\((?:[^\n]*\\\n)*[^\n]*", tree.code[name]).group()
    handlers = set(re.findall(r"\b(exit_\w+)\b", entries))
    vmx = "\n".join(tree.plain[other] for other in tree.names(*CODE, under=("vmx/", "virt/")))
    for handler in sorted(handlers):
        if not re.search(r"\benum exit_verdict\s+" + handler + r"\s*\(", vmx):
            yield name, line, f"{handler}() is in the list of exit reasons but does not return enum exit_verdict"


def rule_policy_table(tree):
    """Tables of policy and of operations are const (rules 14, 15, 20)."""
    for name in tree.names(".c"):
        if name.startswith(("tests/", "tools/", "guests/")):
            continue
        for head, start, opening, _ in c_source.blocks(tree.plain[name]):
            declaration = re.sub(r"\{[^}]*\}", "", head)
            if re.search(r"(?:\[[^\]]*\]|_ops)\s*=\s*$", head) and not re.search(r"\bconst\b", declaration):
                yield name, c_source.line_of(tree.plain[name], opening), "an initialized table that is not const"


def rule_pure(tree):
    """Code that runs twice, in Bulkhead and in host tests, has no mutable globals (rules 20, 37)."""
    for name in tree.names(".c", under=PURE_FOLDERS):
        code = re.sub(r"\{[^{}]*\}", "", flatten(tree.plain[name]))
        for line, match in search(FILE_SCOPE_VARIABLE, code):
            if not re.search(r"\bconst\b", match.group()):
                yield name, line, "a global that changes, in code that must run twice in one process"


def flatten(code):
    """File scope only: everything in braces blanked."""
    parts, position = [], 0
    for _, _, opening, end in c_source.blocks(code):
        parts += [code[position:opening + 1], c_source.blank(code[opening + 1:end])]
        position = end
    return "".join(parts) + code[position:]


def rule_gmem(tree):
    """Guest memory only through gmem.h's functions (rules 21, 23)."""
    for name in tree.names(*CODE, under=("vmm/", "drivers/virt/", "virt/", "vmx/", "kernel/", "manager/", "switch/", "console/")):
        if matches(name, GUEST_POINTER_FILES):
            continue
        for line, match in search(r"\bgmem_for_boot_image\b|\bslots\[[^\]]*\]\.host\b|->host\b\s*\+", tree.code[name]):
            yield name, line, f"{match.group()}: a pointer into guest memory outside vmm/gmem.c"


def rule_user_memory(tree):
    """Ring 0 opens SMAP's window in one place."""
    for name in tree.names(*SOURCES, under=("kernel/", "virt/", "vmx/")):
        if name in USER_MEMORY_WINDOW:
            continue
        for line, match in search(r"\b(?:stac|clac)\b", tree.code[name]):
            yield name, line, f"{match.group()} outside {USER_MEMORY_WINDOW[0]}"


def rule_inline_assembly(tree):
    for name in tree.names(*CODE):
        if matches(name, INLINE_ASSEMBLY):
            continue
        for line, _ in search(r"\b(?:__asm__|asm)\b(?=\s*(?:volatile|__volatile__|goto|\())", tree.code[name]):
            yield name, line, "inline assembly outside the named files: a wrapper in an *_insn.h, or nasm (rule 32)"


def rule_device(tree):
    """A device sees offset, width, value: no guest address, no vCPU, no system call (rule 26)."""
    for name in tree.names(*CODE, under=("drivers/virt/",)):
        for line, match in search(r"\bgpa_t\b|\bgmem_\w+|\bstruct vcpu\b|\bsys_\w+\(|\bstruct vm\b", tree.code[name]):
            yield name, line, f"{match.group()} in a device model"


def rule_bit_field(tree):
    for name in tree.names(*CODE):
        for line, match in search(r"(?m)^\s+(?:u?int\d+_t|unsigned(?: int)?|int|bool)\s+\w+\s*:\s*\d+\s*;", tree.code[name]):
            yield name, line, "a bit field: hardware layouts are masks and accessors (rule 11)"


def rule_typedef(tree):
    """Struct tags without typedef; one-member wrappers and function types excepted (rule 9)."""
    for name in tree.names(*CODE):
        for line, match in search(r"\btypedef\s+struct\b[^{;]*\{([^}]*)\}", tree.plain[name]):
            if match.group(1).count(";") > 1:
                yield name, line, "typedef of a struct: use the tag"


def rule_test_name(tree):
    """test_<module>_<behaviour> (rule 37); no test that no list names, no empty test program."""
    for name in tree.names(".c", under=("tests/unit/",)):
        if not Path(name).name.startswith("test_"):
            continue
        code = tree.code[name]
        if not re.search(r"\bcmocka_unit_test", code):
            yield name, 1, "no tests in a test program"
        for line, match in search(r"(?m)^static void (\w+)\(void \*\*\w+\)", code):
            test = match.group(1)
            if test.startswith("test_") and len(re.findall(r"\b" + test + r"\b", code)) < 2:
                yield name, line, f"{test}() is in no list of tests: it never runs"
            if re.search(r"\bcmocka_unit_test\w*\(\s*" + test + r"\b", code) and not re.match(r"test_[a-z0-9]+_\w+", test):
                yield name, line, f"{test}: tests are named test_<module>_<behaviour>"


# --- Errors, enums, words (rules 29, 30, 34, 35)

def rule_must_check(tree):
    """A function that returns enum status says MUST_CHECK where it is declared (rule 29)."""
    for name in tree.names(*CODE):
        if name.startswith("tests/"):
            continue
        for line, match in search(STATUS_FUNCTION, tree.plain[name]):
            inline_body = match.group(3) == "{"
            if "MUST_CHECK" in match.group(1) or (inline_body and not name.endswith(".h")):
                continue
            yield name, line, f"{match.group(2)}() returns enum status without MUST_CHECK"


def enum_members(tree):
    members = set()
    for name in tree.names(*CODE):
        for match in re.finditer(r"\benum\s+\w+\s*\{([^}]*)\}", tree.plain[name]):
            members |= set(re.findall(r"\b([A-Z]\w+)\b", re.sub(r"=[^,]*", "", match.group(1))))
    return members


def is_enum(tree, name, expression):
    """Whether the last word of a switch's expression is declared here as an enum, and nowhere as an integer."""
    words = re.findall(r"\w+", expression)
    texts = "\n".join(tree.plain[file] for file in [name, *tree.names(".h")])
    if not words or re.search(r"\b(?:u?int\d+_t|unsigned|int|size_t) \*?" + words[-1] + r"\b", texts):
        return False
    return bool(re.search(r"\benum \w+ \*?" + words[-1] + r"\b", tree.plain[name]))


def rule_switch_default(tree):
    """A switch over an enum has no default, so that the compiler finds the new case (rule 30)."""
    members = enum_members(tree)
    for name in tree.names(*CODE):
        code = tree.plain[name]
        for line, match in search(r"\bswitch\s*\(", code):
            close = c_source.closing(code, match.end() - 1)
            opening = code.find("{", close)
            end = c_source.closing(code, opening) if opening >= 0 else -1
            if close < 0 or end < 0:
                continue
            body = re.sub(r"\{[^{}]*\}", "", code[opening + 1:end])
            labels = re.findall(r"\bcase\s+([^:]+):", body)
            if not labels or not re.search(r"\bdefault\s*:", body) or not all(label.strip() in members for label in labels):
                continue
            if is_enum(tree, name, code[match.end():close]):
                yield name, line, "default in a switch over an enum"


def rule_marker(tree):
    for name in tree.names(*TEXTS):
        if name == "tools/lint.py":
            continue
        for line, match in search(MARKERS, tree.text[name]):
            yield name, line, f"{match.group()}: open an issue instead (rule 34)"


def rule_place(tree):
    """What is true on one machine only: its paths, its package mirror."""
    for name in sorted(tree.text):
        if name == "tools/lint.py":
            continue
        for line, match in search(MACHINE_PATHS, tree.text[name]):
            yield name, line, f"{match.group()}: a path of one machine"
        for line, match in search(MIRROR_HOSTS, tree.text[name]):
            yield name, line, f"{match.group()}: hosts come from apt's own configuration"


def rule_citation(tree):
    """The manual is cited by volume and title; numbers move from edition to edition (rule 35)."""
    for name in tree.names(*SOURCES):
        text = tree.text[name]
        comments = c_source.comments(name, text)
        if name.endswith(".asm"):  # a comment of several lines is several comments to nasm
            comments = [(0, "\n".join(line if line.strip().startswith(";") else "" for line in text.split("\n")))]
        for start, comment in comments:
            for match in re.finditer(r"\b(?:SDM,? )?Vol\. ?\d\w?\b", comment):
                rest = re.split(r"\bVol\. ?\d|\n\n", comment[match.end():], maxsplit=1)[0]
                if not re.search(r'"[^"]+"', rest):
                    yield name, c_source.line_of(text, start) + comment.count("\n", 0, match.start()), \
                        f"{match.group()} without a section title in quotes (rule 35)"


def rule_error_code(tree):
    """Every code that a message carries is in lib/base/error_codes.h, explained in docs/errors.md and checked by a test."""
    table = "lib/base/error_codes.h"
    listed = dict.fromkeys(re.findall(r"\bX\((E\d{3}),", tree.text[table]))
    explained = set(re.findall(r"\bE\d{3}\b", tree.text["docs/errors.md"]))
    used = {}
    for name in tree.names(".c", ".h", ".asm", ".py") + ["dev"]:
        if name == table or name.startswith("tests/") or name == "tools/lint.py":
            continue
        text = c_source.without_comments(name, tree.text[name]) if name.endswith(SOURCES) else re.sub(r"#.*", "", tree.text[name])
        for line, match in search(r"\bE[1-7]\d\d\b", text):
            used.setdefault(match.group(), (name, line))
    for code, (name, line) in sorted(used.items()):
        if code not in listed and not code.startswith("E7"):
            yield name, line, f"{code} is not in {table}"
        if code not in explained:
            yield name, line, f"{code} is not explained in docs/errors.md"
    tested = tested_codes(tree)
    for code in listed:
        if code not in explained:
            yield table, 1, f"{code} is not explained in docs/errors.md"
        if code not in used:
            yield table, 1, f"{code} is raised nowhere"
        if code not in tested:
            yield table, 1, f"{code}: no test checks its message, code and {TESTED_WORDS} words or more in one text"


def tested_codes(tree):
    """Codes whose message a test expects: one text of a test has the code and, behind it, words of the message. Comments and doc
    strings do not count, nor does what only looks for the code."""
    tested = set()
    for name in tree.names(".py", ".c", under=("tests/",)):
        if not Path(name).name.startswith("test_") or name.startswith("tests/lint/"):
            continue
        for text in string_literals(name, tree.text[name]):
            for match in re.finditer(r"\b(E[1-7]\d\d)\b((?:(?!\bE[1-7]\d\d\b).)*)", text, re.DOTALL):
                if len(re.findall(r"(?<![\\\w])[A-Za-z][a-z]+", match.group(2))) >= TESTED_WORDS:
                    tested.add(match.group(1))
    return tested


def string_literals(name, text):
    """What a test's literals say, neighbours that the language joins as one; without comments and doc strings."""
    if name.endswith(".py"):
        try:
            nodes = list(ast.walk(ast.parse(text)))
        except SyntaxError:
            return
        idle = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        inside = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in nodes:
            if isinstance(node, ast.JoinedStr) and id(node) not in idle:
                yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
            elif isinstance(node, ast.Constant) and id(node) not in idle | inside:
                yield node.value.decode("latin-1") if isinstance(node.value, bytes) else str(node.value)
        return
    literal = r'"(?:[^"\\\n]|\\.)*"'
    for match in re.finditer(rf"{literal}(?:\s*{literal})*", c_source.without_comments(name, text)):
        yield re.sub(r'"\s*"', "", match.group()).replace("\\n", "\n")


RULES = [
    rule_head_comment, rule_file_size, rule_function_size, rule_line, rule_pragma_once, rule_conditional, rule_orphan,
    rule_include, rule_self_contained, rule_vmcs, rule_rip, rule_exit_table, rule_policy_table, rule_pure, rule_gmem,
    rule_user_memory, rule_inline_assembly, rule_device, rule_bit_field, rule_typedef, rule_test_name, rule_must_check,
    rule_switch_default, rule_marker, rule_place, rule_citation, rule_error_code,
]


def main():
    tree = Tree()
    wanted = set(sys.argv[1:])
    findings = set()
    for rule in RULES:
        name = rule.__name__.replace("rule_", "", 1).replace("_", "-")
        if not wanted or name in wanted:
            findings |= {(path, line, name, message) for path, line, message in rule(tree)}
    for path, line, name, message in sorted(findings):
        print(f"{path}:{line}: {name}: {message}")
    print(f"lint: {len(RULES)} rules, {len(tree.text)} files, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
