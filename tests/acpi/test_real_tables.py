"""lib/acpi against iasl, over the tables of real PCs (BULKHEAD_ACPI_TABLES) and over DSDTs compiled here for \\_S5_.

Needs the host tools acpi_dump and guest_acpi_dump, and iasl. The tables are in no repository: without them the tests
that need them are skipped (tests/allowed-skips).
"""
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import iasl_text  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("BUILD", ROOT / "build"))
NAMED = os.environ.get("BULKHEAD_ACPI_TABLES")
TABLES = Path(NAMED or ROOT.parent / "shared/data/acpi")
PARALLEL = 2
# One worker: the comparison is made once and shared.
pytestmark = pytest.mark.xdist_group("acpi")
# Whoever names a folder wants them compared: then that they are not there is a failure.
needs_tables = pytest.mark.skipif(not NAMED and not (TABLES / "index.tsv").exists(), reason=f"no tables of real PCs in {TABLES}")


def tool(name):
    path = (BUILD / "tools" / name).resolve()
    assert path.exists(), f"{path} is missing: make host-tools first"
    return path


def machines():
    if not (TABLES / "index.tsv").exists():
        return []
    return [line.split("\t")[0] for line in (TABLES / "index.tsv").read_text().splitlines()[1:]]


def dump(paths, folder):
    """What acpi_dump says of each file: path -> (facts, status, warnings)."""
    done = subprocess.run([tool("acpi_dump"), *paths], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    said = {}
    for part in re.split(r"^file ", done.stdout, flags=re.MULTILINE)[1:]:
        path, *lines = [line.rstrip() for line in part.splitlines()]
        facts = [line for line in lines if not line.startswith(("warning ", "status "))]
        status = [int(line[7:]) for line in lines if line.startswith("status ")]
        said[path] = (facts, status[0] if status else None, [line[8:] for line in lines if line.startswith("warning ")])
    return said


def copy_tables(folder):
    """All tables that have an expectation, as folder/MACHINE_NAME.bin; returns name -> signature."""
    names = {}
    for machine in machines():
        for path in sorted((TABLES / machine).glob("*.bin")):
            signature = re.sub(r"\d$", "", path.stem) if path.stem != "DBG2" else "DBG2"
            if signature in iasl_text.EXPECTED:
                names[f"{machine}_{path.name}"] = signature
                shutil.copyfile(path, folder / f"{machine}_{path.name}")
    return names


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """For each table: its signature, what we say, what iasl says."""
    folder = tmp_path_factory.mktemp("acpi")
    names = copy_tables(folder)
    said = dump(sorted(names), folder)
    with ThreadPoolExecutor(PARALLEL) as pool:
        texts = list(pool.map(lambda name: iasl_text.disassemble(name, folder), names))
    return {name: (signature, said[name], text) for (name, signature), text in zip(names.items(), texts)}


@needs_tables
@pytest.mark.parametrize("signature", sorted(iasl_text.EXPECTED))
def test_real_tables_agree_with_iasl(compared, signature):
    wrong, count = [], 0
    for name, (kind, (facts, status, warnings), text) in compared.items():
        if kind != signature:
            continue
        count += 1
        expected = iasl_text.EXPECTED[kind](iasl_text.fields_of(text))
        if facts != expected or status != (0 if expected else status):
            wrong.append(f"{name} status {status} {warnings}\n  ours: {facts}\n  iasl: {expected}")
    assert count > 0
    assert not wrong, f"{len(wrong)} of {count} differ, the first:\n" + "\n".join(wrong[:3])


@needs_tables
def test_real_tables_checksum_warning_agrees_with_iasl(compared):
    for name, (_, (_, _, warnings), text) in compared.items():
        assert ("wrong checksum" in warnings) == ("Incorrect checksum" in text), name


@needs_tables
def test_real_tables_are_all_there(compared):
    assert len({name.split("_")[0] for name in compared}) == len(machines()) > 0
    by_kind = [kind for kind, _, _ in compared.values()]
    assert all(kind in by_kind for kind in iasl_text.EXPECTED)


@needs_tables
def test_real_tables_survive_damage():
    paths = [str(path) for machine in machines() for path in sorted((TABLES / machine).glob("*.bin"))]
    subprocess.run([tool("acpi_dump"), "--torture", *paths], check=True, timeout=120)


S5_FORMS = {
    "zero": "Name (_S5, Package (4) { Zero, Zero, Zero, Zero })",
    "one": "Name (_S5, Package (2) { One, One })",
    "bytes": "Name (_S5, Package (4) { 0x07, 0x06, Zero, Zero })",
    "root": "Name (\\_S5, Package (4) { 0x05, Zero, Zero, Zero })",
    "root_segment": "Name (\\_S5_, Package () { 0x03, 0x02 })",
    "in_scope": "Scope (\\) { Name (_S5, Package (4) { 0x06, One, Zero, Zero }) }",
    "parent": "Scope (\\_SB) { Name (^_S5, Package (4) { 0x05, 0x05, Zero, Zero }) }",
    "short": "Name (_S5, Package (4) { 0x05, 0x04 })",
    "long_package": 'Name (_S5, Package (3) { 0x05, 0x02, "' + 80 * "x" + '" })',
    "longer_package": 'Name (_S5, Package (3) { 0x05, 0x02, "' + 5000 * "x" + '" })',
    "beside_a_string": 'Name (TEXT, "_S5_") Name (_S5, Package (4) { 0x04, 0x04, Zero, Zero }) '
                       'Name (MORE, "\\\\_S5_")',
    "beside_a_reference": "Name (_S5, Package (2) { 0x02, 0x03 }) Method (GETS) { Return (DerefOf (\\_S5[0])) }",
    "after_others": "Name (_S3, Package (4) { One, One, Zero, Zero }) "
                    "Name (_S4, Package (4) { 0x06, 0x06, Zero, Zero }) "
                    "Name (_S5, Package (4) { 0x07, 0x07, Zero, Zero })",
    "under_a_condition": "If (Zero) { } Name (_S5, Package (4) { 0x05, 0x05, Zero, Zero })",
    "absent": "Name (_S3, Package (4) { One, One, Zero, Zero }) Name (XS5_, Package (4) { One, One, Zero, Zero })",
}


def s5_by_iasl(text):
    """The first two elements of the _S5 package in iasl's disassembly, or None."""
    match = re.search(r"Name \([\\^]?_S5, Package \([^)]*\).*?\{\s*([^,\s}]+)[,\s]+([^,\s}]+)", text, re.DOTALL)
    return [int({"Zero": "0", "One": "1"}.get(word, word), 0) for word in match.groups()] if match else None


@pytest.mark.parametrize("form", sorted(S5_FORMS))
@pytest.mark.parametrize("kind", ["DSDT", "SSDT"])
def test_s5_agrees_with_iasl(tmp_path, kind, form):
    source = f'DefinitionBlock ("", "{kind}", 2, "TEST  ", "S5      ", 1) {{ {S5_FORMS[form]} }}\n'
    (tmp_path / "table.asl").write_text(source)
    # -f: iasl objects to a string in _S5, which is how a package gets a long length.
    command = ["iasl", "-f", "-oe", "-p", "table", "table.asl"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=60)
    text = iasl_text.disassemble("table.aml", tmp_path)
    facts, status, warnings = dump(["table.aml"], tmp_path)["table.aml"]
    expected = s5_by_iasl(text)
    assert facts == ([f"s5 {expected[0]} {expected[1]}"] if expected else [])
    assert (status == 0) == bool(expected)
    assert not warnings
    assert bool(expected) == (form != "absent")


@pytest.mark.parametrize("vcpus", [1, 4, 300])
def test_guest_tables_satisfy_iasl(tmp_path, vcpus):
    subprocess.run([tool("guest_acpi_dump"), tmp_path, str(vcpus), "1f"], check=True, timeout=60)
    names = sorted(path.name for path in tmp_path.glob("*.bin"))
    assert [name[:4] for name in names] == "APIC DSDT FACP FACS MCFG RSDP RSDT SSDT XSDT".split()
    said = dump([f"{kind}.bin" for kind in ("APIC", "FACP", "MCFG")], tmp_path)
    for name in names:
        text = iasl_text.disassemble(name, tmp_path) if name != "RSDP.bin" else ""
        assert not re.search(r"error|warning|invalid|incorrect|unknown", text, re.IGNORECASE), text
        kind = name[:4]
        if kind in said:
            assert said[name] == (iasl_text.EXPECTED[kind](iasl_text.fields_of(text)), 0, [])
    assert len([line for line in said["APIC.bin"][0] if line.startswith("cpu ")]) == vcpus


def evaluate(folder, *calls):
    """What ACPICA's interpreter answers to each call of a method of the guest's tables: bytes of a buffer, or a number."""
    text = subprocess.run(["acpiexec", "-b", ";".join(f"evaluate {call}" for call in calls), "DSDT.bin", "SSDT.bin"], cwd=folder,
                          check=True, capture_output=True, text=True, timeout=60).stdout
    answers = []
    for part in text.split("Evaluating ")[1:]:
        number = re.search(r"\[Integer\] = ([0-9A-F]+)", part)
        rows = re.findall(r"[0-9A-F]{4}: ((?:[0-9A-F]{2} )+)", part)
        answers.append(int(number[1], 16) if number else bytes.fromhex("".join(rows)))
    return answers


def memory_windows(resources):
    """First and last address of each address space descriptor of memory: DWord, then QWord."""
    windows = []
    for pattern, bytes_each in ((rb"\x87\x17\x00\x00", 4), (rb"\x8a\x2b\x00\x00", 8)):
        for match in re.finditer(pattern, resources):
            first = match.start() + 6 + bytes_each
            windows.append(tuple(int.from_bytes(resources[at:at + bytes_each], "little") for at in (first, first + bytes_each)))
    return windows


HOST_BRIDGE_UUID = "(5B 4D DB 33 F7 1F 1C 40 96 57 74 41 C0 3D D7 66)"
OTHER_UUID = "(00 4D DB 33 F7 1F 1C 40 96 57 74 41 C0 3D D7 66)"


def test_guest_tables_do_what_they_say(tmp_path):
    subprocess.run([tool("guest_acpi_dump"), tmp_path, "1", "1f"], check=True, timeout=60)
    wish = "3 (00 00 00 00 1F 00 00 00 1F 00 00 00)"
    windows, ecam_is_there, ecam, granted, revision, unknown, small = evaluate(
        tmp_path, r"\_SB.PCI0._CRS", r"\_SB.ECAM._STA", r"\_SB.ECAM._CRS", rf"\_SB.PCI0._OSC {HOST_BRIDGE_UUID} 1 {wish}",
        rf"\_SB.PCI0._OSC {HOST_BRIDGE_UUID} 2 {wish}", rf"\_SB.PCI0._OSC {OTHER_UUID} 1 {wish}",
        rf"\_SB.PCI0._OSC {HOST_BRIDGE_UUID} 1 3 (00 00 00 00 1F 00 00 00 10 00 00 00)")
    assert memory_windows(windows) == [(0x80000000, 0xdfffffff), (0xf0000000, 0xfebfffff), (5 << 30, (1 << 40) - 1)]
    assert ecam_is_there == 15
    assert ecam[:12] == bytes.fromhex("86 09 00 01 00 00 00 e0 00 00 00 10")
    # Only PCI Express capability control is granted, and that something else was not is said.
    assert granted == bytes.fromhex("10 00 00 00 1f 00 00 00 10 00 00 00")
    assert revision[0] == 0x18
    assert unknown == bytes.fromhex("04 00 00 00 1f 00 00 00 1f 00 00 00")
    assert small == bytes.fromhex("00 00 00 00 1f 00 00 00 10 00 00 00")
