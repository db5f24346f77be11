"""Each rule of tools/lint.py finds what it is for: a linter whose pattern is wrong is silent."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import c_source
import lint

HEAD = "/* What it owns. */\n"
GOOD = HEAD + ('#include "kernel/x.h"\n\nstatic const unsigned table[] = {1, 2};\n\n'
               "int sum(int a)\n{\n\treturn a + (int)table[0];\n}\n")
LONG_FUNCTION = HEAD + "void f(void)\n{\n" + "\tg();\n" * 90 + "}\n"
TEST_OF = HEAD + "static void test_x_works(void **state)\n{\n\t(void)state;\n}\n"

CASES = [
    # rule, path, text, lines on which it must find something
    (lint.rule_head_comment, "lib/x.c", "int x(void);\n", [1]),
    (lint.rule_head_comment, "kernel/x.asm", "section .text\n", [1]),
    (lint.rule_file_size, "lib/x.c", HEAD + "\n" * 420, [421]),
    (lint.rule_file_size, "lib/x.c", "/* One file because of a reason. */\n" + "\n" * 420, []),
    (lint.rule_file_size, "lib/x.c", "/* One file because of a reason. */\n" + "\n" * 620, [621]),
    (lint.rule_function_size, "lib/x.c", LONG_FUNCTION, [2]),
    (lint.rule_line, "lib/x.c", HEAD + "\t" * 16 + "abcdef\n", [2]),
    (lint.rule_line, "lib/x.c", HEAD + "int a; \n", [2]),
    (lint.rule_line, "lib/x.c", HEAD + "        int a;\n", [2]),
    (lint.rule_line, "lib/x.c", HEAD + "int a;", [2]),
    (lint.rule_pragma_once, "lib/x.h", HEAD + "int x(void);\n", [1]),
    (lint.rule_conditional, "lib/x.c", HEAD + "#ifdef FAST\n#endif\n", [2]),
    (lint.rule_conditional, "lib/x.c", HEAD + '/* "#ifdef" */\n#define if 1\n', []),
    (lint.rule_vmcs, "virt/x.c", HEAD + "int a = VMCS_GUEST_RIP;\n", [2]),
    (lint.rule_vmcs, "vmx/x.c", HEAD + "\tvmcs_write32(0x4000, 1);\n", [2]),
    (lint.rule_rip, "vmx/x.c", HEAD + "\tvmcs_write_natural(VMCS_GUEST_RIP, 0);\n", [2]),
    (lint.rule_rip, "vmx/exit_cpuid.c", HEAD + "\tvmx_advance(vcpu, 2);\n", [2]),
    (lint.rule_rip, "vmx/exit.c", HEAD + "\tvmx_advance(vcpu, 2);\n", []),
    (lint.rule_policy_table, "virt/x.c", HEAD + "static struct row { int a; } rows[] = {\n\t{1},\n};\n", [2]),
    (lint.rule_policy_table, "virt/x.c", HEAD + "static const struct row { int a; } rows[] = {\n\t{1},\n};\n", []),
    (lint.rule_pure, "lib/x.c", HEAD + "static unsigned count;\n", [2]),
    (lint.rule_pure, "lib/x.c", HEAD + "static const unsigned count = 3;\n\nvoid f(void)\n{\n\tint local = 1;\n}\n", []),
    (lint.rule_gmem, "vmm/x.c", HEAD + "\tp = gmem_for_boot_image(gm, at, 1);\n", [2]),
    (lint.rule_user_memory, "kernel/x.asm", "; head\n\tstac\n", [2]),
    (lint.rule_inline_assembly, "lib/x.c", HEAD + '\t__asm__ volatile("hlt");\n', [2]),
    (lint.rule_device, "drivers/virt/x.c", HEAD + "void f(gpa_t at);\n", [2]),
    (lint.rule_bit_field, "lib/x.h", HEAD + "struct x {\n\tuint32_t present : 1;\n};\n", [3]),
    (lint.rule_typedef, "lib/x.h", HEAD + "typedef struct {\n\tint a;\n\tint b;\n} pair;\n", [2]),
    (lint.rule_typedef, "lib/x.h", HEAD + "typedef struct {\n\tuint64_t raw;\n} gpa_t;\n", []),
    (lint.rule_test_name, "tests/unit/test_x.c", TEST_OF, [1, 2]),
    (lint.rule_test_name, "tests/unit/test_x.c", TEST_OF + "cmocka_unit_test(test_x_works)\n", []),
    (lint.rule_must_check, "lib/x.h", HEAD + "enum status x(void);\n", [2]),
    (lint.rule_must_check, "lib/x.h", HEAD + "MUST_CHECK enum status x(void);\n", []),
    (lint.rule_switch_default, "lib/x.c", HEAD + "enum e { A1, B1 };\nint f(enum e tag)\n{\n\tswitch (tag) {\n"
     "\tcase A1: return 1;\n\tdefault: return 2;\n\t}\n}\n", [5]),
    (lint.rule_marker, "lib/x.c", HEAD + "/* TO" + "DO: more */\n", [2]),
    (lint.rule_place, "lib/x.c", HEAD + "/* see /ro" + "ot/x */\n", [2]),
    (lint.rule_place, "tools/x.py", '"""x"""\nHOST = "http://deb.deb' + 'ian.org/debian"\n', [2]),
    (lint.rule_citation, "lib/x.c", "/* SDM Vol. 3C, 28.2.1. */\n", [1]),
    (lint.rule_citation, "lib/x.c", '/* SDM Vol. 3C,\n * "VM Entries"; Vol. 1, "EFLAGS Register". */\n', []),
    (lint.rule_citation, "lib/x.asm", "; SDM Vol. 3C,\n; chapter 3\n", [1]),
]


@pytest.mark.parametrize("rule, path, text, lines", CASES, ids=[f"{case[0].__name__}-{i}" for i, case in enumerate(CASES)])
def test_rule_finds(rule, path, text, lines):
    found = sorted({line for _, line, _ in rule(lint.Tree({path: text}))})
    assert found == lines


def test_include_direction():
    texts = {"abi/a.h": HEAD, "lib/l.h": HEAD, "kernel/k.h": HEAD, "virt/v.h": HEAD, "user/u.h": HEAD,
             "lib/bad.c": HEAD + '#include "kernel/k.h"\n#include <stdio.h>\n#include "abi/a.h"\n',
             "kernel/bad.c": HEAD + '#include "virt/v.h"\n#include "lib/l.h"\n#include "k.h"\n',
             "vmm/bad.c": HEAD + '#include "kernel/k.h"\n#include "user/u.h"\n'}
    assert {(path, line) for path, line, _ in lint.rule_include(lint.Tree(texts))} == {
        ("lib/bad.c", 2), ("lib/bad.c", 3), ("kernel/bad.c", 2), ("kernel/bad.c", 4), ("vmm/bad.c", 2)}


def error_code_findings(**tests):
    """What the rule says of messages E101 to E103 whose only tests are these: name of the file below tests/ = its text."""
    texts = {"lib/base/error_codes.h": '#define E(X) X(E101, "a") X(E102, "b") X(E103, "c")\n',
             "docs/errors.md": "## E101\n## E103\n", "dev": "",
             "vmm/x.c": HEAD + 'log("E101 x"); log("E102 y"); log("E199 z"); /* E198 */\n'}
    texts.update({f"tests/{name.replace('__', '/').replace('_dot_', '.')}": text for name, text in tests.items()})
    return " ".join(message for _, _, message in lint.rule_error_code(lint.Tree(texts)))


def test_error_codes_are_listed_explained_raised_and_tested():
    messages = error_code_findings(unit__test_x_dot_c=HEAD + 'expect("E101 web: the file is not there");\n')
    for words in ("E199 is not in", "E199 is not explained", "E102 is not explained", "E103 is raised nowhere",
                  "E102: no test checks its message"):
        assert words in messages
    assert "E101" not in messages and "E198" not in messages


@pytest.mark.parametrize("name, text", [
    ("unit__test_x_dot_c", 'f("E101 the file is not there");'), ("unit__test_x_dot_c", 'f("E101 the "\n\t"file is not there");'),
    ("unit__test_x_dot_c", 'f("one\\nE101 the file is not there\\n");'),
    ("system__test_x_dot_py", 'f("E101 the file is not there")'), ("system__test_x_dot_py", 'f(rb"E101 \\w+ file is not there")'),
    ("system__test_x_dot_py", 'f(f"E101 {name}: the file is not there")'),
])
def test_error_code_is_tested(name, text):
    assert "E101" not in error_code_findings(**{name: text + "\n"})


@pytest.mark.parametrize("name, text", [
    ("unit__test_x_dot_c", '/* "E101 the file is not there" */'), ("unit__test_x_dot_c", '// "E101 the file is not there"'),
    ("unit__test_x_dot_c", 'f(E101); g("the file is not there");'), ("unit__test_x_dot_c", 'f("E101");'),
    ("unit__test_x_dot_c", 'f("E101 E103 the file is not there");'), ("unit__helper_dot_c", 'f("E101 the file is not there");'),
    ("system__test_x_dot_py", '# f("E101 the file is not there")'), ("system__test_x_dot_py", '"""E101 the file is not there"""'),
    ("system__test_x_dot_py", 'f("E101")'), ("system__test_x_dot_py", 'def f():\n    "E101 the file is not there"'),
    ("lint__test_x_dot_py", 'f("E101 the file is not there")'),
])
def test_error_code_is_not_tested_by_chance(name, text):
    assert "E101: no test checks its message" in error_code_findings(**{name: text + "\n"})


def test_orphans():
    texts = {"Makefile": "", "a/a.mk": "KERNEL_SOURCES += a/used.c\nUNIT_TESTS += used\n", "a/used.c": HEAD, "a/unused.c": HEAD,
             "tests/unit/test_used.c": HEAD, "tests/unit/test_lost.c": HEAD}
    assert {path for path, _, _ in lint.rule_orphan(lint.Tree(texts))} == {"a/unused.c", "tests/unit/test_lost.c"}


def test_good_file_has_no_findings():
    tree = lint.Tree({"kernel/x.c": GOOD, "kernel/x.h": HEAD + "#pragma once\n", "Makefile": "kernel/x.c\n"})
    quiet = [rule for rule in lint.RULES if rule not in (lint.rule_self_contained, lint.rule_error_code)]
    assert [finding for rule in quiet for finding in rule(tree)] == []


def test_functions_and_code_lines():
    text = HEAD + 'struct s {\n\tint a;\n};\n\n#define M(x) { x; \\\n\t}\nstatic int f(struct s *s)\n{\n\treturn s->a; /* } */\n}\n'
    code = c_source.without_directives(c_source.code_only("x.c", text))
    assert [(name, first, last) for name, first, last, _ in c_source.functions(code)] == [("f", 8, 11)]
    assert c_source.code_lines("x.c", text) == 9
