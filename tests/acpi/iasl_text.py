"""iasl's disassembly of a data table as a list of (offset, field, value), and what lib/acpi should make of it.

A second reading of the same specifications, over the fields as iasl names them: expected_NAME(fields) gives the lines
that acpi_dump prints, without its warnings. Owns no comparison.
"""
import re
import subprocess

LINE = re.compile(r"^\[([0-9A-F]+)h \d+\s+\d+\]\s+(.+?) : (.*)$")
GAS = ("Space ID", "Bit Width", "Bit Offset", "Encoded Access Width", "Address")


def disassemble(path, folder):
    """Runs iasl -d on a copy's path (relative to folder) and returns the text."""
    done = subprocess.run(["iasl", "-d", path], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return (folder / path).with_suffix(".dsl").read_text(errors="replace")


def fields_of(text):
    """Data lines only; numbers as int, others as text. Comments in brackets are cut off."""
    fields = []
    for line in text.splitlines():
        match = LINE.match(line)
        if match:
            value = match[3].split(" [")[0].strip()
            number = int(value, 16) if re.fullmatch(r"[0-9A-F]+", value) else value
            fields.append((int(match[1], 16), match[2].strip(), number))
    return fields


def head_of(fields):
    """The first value of each name."""
    head = {}
    for _, name, value in fields:
        head.setdefault(name, value)
    return head


def subtables(fields, start="Subtable Type"):
    """The fields from each `start` on, up to the next, as dictionaries of first values."""
    groups = []
    for _, name, value in fields:
        if name == start:
            groups.append([])
        if groups:
            groups[-1].append((0, name, value))
    return [head_of(group) for group in groups]


def route(name, index, gsi, flags):
    words = {1: "high", 3: "low"}, {1: "edge", 3: "level"}
    return (f"{name} {index} gsi={gsi} polarity={words[0].get(flags & 3, 'bus')} "
            f"trigger={words[1].get(flags >> 2 & 3, 'bus')}")


def madt_cpus(entries, revision):
    """CPUs that can be used, each APIC id once, in order; and how many cannot."""
    cpus, disabled = [], 0
    for entry in entries:
        if entry["Subtable Type"] == 0:
            apic, uid, none = entry["Local Apic ID"], entry["Processor ID"], 0xFF
        elif entry["Subtable Type"] == 9:
            apic, uid, none = entry["Processor x2Apic ID"], entry["Processor UID"], 0xFFFFFFFF
        else:
            continue
        flags = entry["Flags (decoded below)"]
        state = 1 if flags & 1 else 2 if revision >= 5 and flags & 2 else 0
        if state == 0:
            disabled += 1
        elif apic != none and apic not in [cpu["apic"] for cpu in cpus]:
            cpus.append({"apic": apic, "uid": uid, "state": state, "nmi": 0})
    return cpus, disabled


def mark_nmis(cpus, entries):
    for entry in entries:
        if entry["Subtable Type"] not in (4, 10):
            continue
        wide = entry["Subtable Type"] == 10
        uid = entry["Processor UID" if wide else "Processor ID"]
        for cpu in cpus if entry["Interrupt Input LINT"] <= 1 else []:
            if uid == (0xFFFFFFFF if wide else 0xFF) or cpu["uid"] == uid:
                cpu["nmi"] |= 1 << entry["Interrupt Input LINT"]


def expected_madt(fields):
    head, entries = head_of(fields), subtables(fields)
    cpus, disabled = madt_cpus(entries, head["Revision"])
    mark_nmis(cpus, entries)
    base = head["Local Apic Address"]
    ioapics, isa, nmis = [], {}, []
    for entry in entries:
        kind = entry["Subtable Type"]
        if kind == 1 and not any(entry["Address"] == other[1] or entry["Interrupt"] == other[2] for other in ioapics):
            ioapics.append((entry["I/O Apic ID"], entry["Address"], entry["Interrupt"]))
        elif kind == 2 and entry["Source"] < 16:
            isa.setdefault(entry["Source"], (entry["Interrupt"], entry["Flags (decoded below)"]))
        elif kind == 3:
            nmis.append((entry["Interrupt"], entry["Flags (decoded below)"]))
        elif kind == 5:
            base = entry["APIC Address"]
    lines = [f"local_apic {base:x}", f"has_8259 {head['Flags (decoded below)'] & 1}", f"disabled {disabled}"]
    lines += ["cpu apic={apic} uid={uid} state={state} nmi={nmi}".format(**cpu) for cpu in cpus]
    lines += [f"ioapic id={ident} address={address:x} gsi={gsi}" for ident, address, gsi in ioapics]
    lines += [route("isa", irq, *isa[irq]) for irq in sorted(isa)]
    return lines + [route("nmi", index, *nmi) for index, nmi in enumerate(nmis)]


def gas_after(fields, name):
    """The five parts of the generic address structure called `name`, or None where the table has none."""
    for index, (_, field, value) in enumerate(fields):
        if field == name and value == "[Generic Address Structure]":
            return dict(zip(GAS, (part[2] for part in fields[index + 1:index + 6])))
    return None


def gas_line(name, gas):
    return (f"{name} space={gas['Space ID']} width={gas['Bit Width']} offset={gas['Bit Offset']} "
            f"access={gas['Encoded Access Width']} address={gas['Address']:x}")


def fadt_block(fields, head, name, word, length_word):
    gas, legacy, length = gas_after(fields, word), head[f"{word} Address"], head[length_word]
    address, space = (gas["Address"], gas["Space ID"]) if gas and gas["Address"] else (legacy, 1)
    return [f"{name} space={space} address={address:x} length={length}"] if address and length else []


def fadt_lines_of_extensions(fields, head, flags):
    lines = []
    reset = gas_after(fields, "Reset Register")
    if flags & 1 << 10 and reset and reset["Address"] and reset["Bit Width"] == 8 and reset["Bit Offset"] == 0:
        lines += [gas_line("reset", reset), f"reset_value {head['Value to cause reset']:x}"]
    for name, word in (("sleep_control", "Sleep Control Register"), ("sleep_status", "Sleep Status Register")):
        gas = gas_after(fields, word)
        if gas and gas["Address"]:
            lines.append(gas_line(name, gas))
    return lines


def expected_fadt(fields):
    head = head_of(fields)
    # iasl calls the 32-bit and the 64-bit field alike; the second one wins unless 0.
    dsdt = [value for _, name, value in fields if name == "DSDT Address"]
    flags = head["Flags (decoded below)"]
    lines = [f"revision {head['Revision']}", f"profile {head['PM Profile']}", f"sci {head['SCI Interrupt']}",
             f"smi_command {head['SMI Command Port']:x}", f"enable {head['ACPI Enable Value']:x}",
             f"disable {head['ACPI Disable Value']:x}", f"century {head['RTC Century Index']:x}",
             f"boot_arch {head['Boot Flags (decoded below)']:x}", f"flags {flags:x}",
             f"dsdt {dsdt[-1] or dsdt[0]:x}"]
    if not flags & 1 << 20:
        for block in (("pm1a_event", "PM1A Event Block", "PM1 Event Block Length"),
                      ("pm1b_event", "PM1B Event Block", "PM1 Event Block Length"),
                      ("pm1a_control", "PM1A Control Block", "PM1 Control Block Length"),
                      ("pm1b_control", "PM1B Control Block", "PM1 Control Block Length"),
                      ("pm_timer", "PM Timer Block", "PM Timer Block Length"),
                      ("gpe0", "GPE0 Block", "GPE0 Block Length"), ("gpe1", "GPE1 Block", "GPE1 Block Length")):
            lines += fadt_block(fields, head, *block)
    return lines + fadt_lines_of_extensions(fields, head, flags)


def expected_mcfg(fields):
    return [f"segment base={entry['Base Address']:x} number={entry['Segment Group Number']} "
            f"first={entry['Start Bus Number']} last={entry['End Bus Number']}"
            for entry in subtables(fields, "Base Address")]


def expected_hpet(fields):
    head, gas = head_of(fields), gas_after(fields, "Timer Block Register")
    if gas["Space ID"] != 0 or gas["Address"] == 0:
        return []
    return [f"address {gas['Address']:x}", f"block_id {head['Hardware Block ID']:x}",
            f"number {head['Sequence Number']}", f"min_ticks {head['Minimum Clock Ticks']}"]


def dmar_unit(entry):
    kind = entry["Subtable Type"]
    base = {0: "Register Base Address", 1: "Base Address"}.get(kind)
    return (f"unit kind={kind} segment={entry['PCI Segment Number']} base={entry[base] if base else 0:x} "
            f"last={entry['End Address (limit)'] if kind == 1 else 0:x} "
            f"everything={entry['Flags'] & 1 if kind != 1 else 0}")


def dmar_scope(scope, paths):
    path = "".join(f"{int(part[:2], 16):02x}.{int(part[3:5], 16):02x} " for part in paths)
    return (f"scope type={scope['Device Scope Type']} id={scope['Enumeration ID']} "
            f"bus={scope['PCI Bus Number']} path={path}").rstrip()


def expected_dmar(fields):
    head = head_of(fields)
    lines = [f"width {head['Host Address Width'] + 1}", f"interrupt_remapping {head['Flags'] & 1}",
             f"x2apic_opt_out {head['Flags'] >> 1 & 1}"]
    starts = [index for index, (_, name, _) in enumerate(fields) if name == "Subtable Type"]
    for start, end in zip(starts, starts[1:] + [len(fields)]):
        if fields[start][2] > 2:
            continue
        lines.append(dmar_unit(head_of(fields[start:end])))
        scopes = [index for index in range(start, end) if fields[index][1] == "Device Scope Type"]
        for first, last in zip(scopes, scopes[1:] + [end]):
            paths = [value for _, name, value in fields[first:last] if name == "PCI Path"]
            lines.append(dmar_scope(head_of(fields[first:last]), paths))
    return lines


def serial_lines(kind, baud, gsi, gas):
    lines = [f"serial kind={kind} baud={baud} gsi={gsi}"]
    return lines + [gas_line("at", gas)] if gas and gas["Address"] else lines


def expected_spcr(fields):
    head, gas = head_of(fields), gas_after(fields, "Serial Port Register")
    if gas["Address"] == 0:
        return []
    kind = 1 if head["Interface Type"] in (0, 1, 0x12) else 2
    baud = {3: 9600, 4: 19200, 6: 57600, 7: 115200}.get(head["Baud Rate"], 0)
    interrupt = head["Interrupt Type"]
    gsi = head["Interrupt"] if interrupt & 2 else head["PCAT-compatible IRQ"] if interrupt & 1 else 0
    return serial_lines(kind, baud, gsi, gas)


def expected_dbg2(fields):
    lines = []
    starts = [index for index, (offset, name, _) in enumerate(fields) if name == "Revision" and offset >= 44]
    for start, end in zip(starts, starts[1:] + [len(fields)]):
        device = head_of(fields[start:end])
        is_16550 = device["Port Type"] == 0x8000 and device["Port Subtype"] in (0, 1, 0x12)
        lines += serial_lines(1 if is_16550 else 2, 0, 0, gas_after(fields[start:end], "Base Address Register"))
    return lines


EXPECTED = {"APIC": expected_madt, "FACP": expected_fadt, "MCFG": expected_mcfg, "HPET": expected_hpet,
            "DMAR": expected_dmar, "SPCR": expected_spcr, "DBG2": expected_dbg2}
