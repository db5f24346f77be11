"""What a suite runs: the images of a folder, and what index.tsv says of each.

Owns index.tsv's format (docs/suite.md), what counts as an image, and the VMs' names. Knows nothing of emulators.
"""
import dataclasses
import re
import struct
from pathlib import Path

INDEX_NAME = "index.tsv"
NAME_MAX = 31           # of a VM: docs/manifest.md
VCPUS_MAX = 64
MEMORY_MIN = 2 << 20
MEMORY_MAX = 1 << 40
CMDLINE_MAX = 2047
DEFAULT_MEMORY = 128 << 20
DEFAULT_LIMIT = 90.0    # seconds of the PC's time
DEFAULT_CODE = 1        # 0 written to the debug-exit port
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
SECONDS = {"": 1.0, "s": 1.0, "ms": 0.001, "m": 60.0}
MULTIBOOT_MAGIC = 0x1badb002
MULTIBOOT_SEARCH = 8192
FLAT_MAGIC = b"BULKFLAT"
ELF_EXECUTABLE = (2, 3)


class SuiteError(Exception):
    """What is wrong with the folder or its index, where, and the remedy."""


@dataclasses.dataclass(frozen=True)
class Expectation:
    """How a VM must end. kind: "usual" (see verdict.py), "code" (number), "words" (of one of the ends in WORDS) or "error" (an
    E-code that Bulkhead stops it with)."""
    kind: str = "usual"
    number: int = DEFAULT_CODE
    text: str = ""


WORDS = ("power-off", "reset")


@dataclasses.dataclass
class Image:
    name: str                # as the user knows it: the file's name, or the index's
    path: Path
    vm_name: str = ""
    vcpus: int = 1
    memory: int = DEFAULT_MEMORY
    cmdline: str = None      # None: none for test images, the manifest's for Linux
    module: str = None       # text of a module
    limit: float = DEFAULT_LIMIT
    expected: Expectation = Expectation()
    listed: bool = False     # the index names it


def parse_size(text):
    found = re.fullmatch(r"(\d+)\s*([KMG]?)i?B?", text, re.IGNORECASE)
    if not found:
        raise ValueError("is no size; write MiB, or a number with K, M or G, like 64M")
    # A plain number is what QEMU's -m takes: MiB. One that is too large for that is bytes, as in the manifest.
    unit = found[2].upper() or ("M" if int(found[1]) < MEMORY_MIN else "")
    size = int(found[1]) * UNITS[unit]
    if not MEMORY_MIN <= size <= MEMORY_MAX or size % 4096:
        raise ValueError("is no memory that a VM can have; write 2M to 1024G, a multiple of 4K")
    return size


def parse_vcpus(text):
    if not text.isdigit() or not 1 <= int(text) <= VCPUS_MAX:
        raise ValueError(f"is no number of virtual CPUs; write 1 to {VCPUS_MAX}")
    return int(text)


def parse_limit(text):
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|ms|m|)", text)
    if not found or float(found[1]) <= 0:
        raise ValueError("is no time limit; write seconds, like 90, or 500ms, 90s, 5m")
    return float(found[1]) * SECONDS[found[2]]


def parse_expected(text):
    if re.fullmatch(r"\d+|0x[0-9a-fA-F]+", text):
        return Expectation("code", int(text, 0))
    if text in WORDS:
        return Expectation("words", text=text)
    if re.fullmatch(r"E\d{3}", text):
        return Expectation("error", text=text)
    raise ValueError(f"is no expected exit code; write a number like 1 or 0x21, {', '.join(WORDS)}, or an error like E301")


def unescaped(text):
    """A cell's text: \\n, \\t and \\\\ are a newline, a tabulator and a backslash."""
    meanings = {"n": "\n", "t": "\t", "\\": "\\"}
    if re.search(r"\\(?![nt\\])", text):
        raise ValueError(r"has a backslash that begins nothing; write \n, \t or \\")
    return re.sub(r"\\([nt\\])", lambda found: meanings[found[1]], text)


def parse_cmdline(text):
    if len(text.encode()) > CMDLINE_MAX or any(ord(letter) < 0x20 for letter in text):
        raise ValueError(f"is no command line; write at most {CMDLINE_MAX} bytes without control characters")
    return text


def parse_name(text):
    if "/" in text or text in (".", ".."):
        raise ValueError("is no file of this folder; write its name without a path")
    return text


# The columns in their usual order: name, field of Image, other names of it, meaning.
COLUMNS = (
    ("name", "name", (), parse_name),
    ("vcpus", "vcpus", ("cpus", "smp"), parse_vcpus),
    ("memory", "memory", (), parse_size),
    ("command line", "cmdline", ("cmdline", "arguments"), parse_cmdline),
    ("module text", "module", ("module", "modules"), unescaped),
    ("time limit", "limit", ("limit", "timeout", "seconds"), parse_limit),
    ("expected exit code", "expected", ("expected", "exit code", "code"), parse_expected),
    ("image", "path", ("file",), parse_name),
)
USUAL_COLUMNS = COLUMNS[:7]


def column_of(title):
    """The column that a title names, also with a unit behind it that is the usual one: "memory (MiB)", "time_limit_s"."""
    plain = re.sub(r"[\s_()-]+", " ", title.lower()).strip()
    plain = re.sub(r"^(memory) mi?b$|^((?:time )?limit|timeout) s(?:ec|econds)?$", lambda found: found[1] or found[2], plain)
    for column in COLUMNS:
        if plain == column[0] or plain in column[2]:
            return column
    return None


def header_of(cells, line):
    """The columns that a first line names, or None where it is no header."""
    if not cells or column_of(cells[0]) is None:
        return None
    columns = [column_of(cell) for cell in cells]
    for number, (cell, column) in enumerate(zip(cells, columns), 1):
        if column is None:
            known = ", ".join(name for name, *_ in COLUMNS)
            raise SuiteError(f"{INDEX_NAME} line {line}, column {number}: no column is called \"{cell.strip()}\"; write one of: "
                             f"{known}")
        if columns.index(column) != number - 1:
            raise SuiteError(f"{INDEX_NAME} line {line}, column {number}: \"{column[0]}\" is there twice; remove one")
    if COLUMNS[0] not in columns:
        raise SuiteError(f"{INDEX_NAME} line {line}, column 1: no column is called \"name\"; add it: the image's file name")
    return columns


def parse_row(cells, columns, line):
    """{field: value} of one line; empty cells and "-" are left out."""
    if len(cells) > len(columns):
        raise SuiteError(f"{INDEX_NAME} line {line}, column {len(columns) + 1}: there are only {len(columns)} columns; "
                         "remove what is too much, or a tabulator")
    values = {}
    for number, (cell, column) in enumerate(zip(cells, columns), 1):
        title, field, _, parse = column
        text = cell.strip()
        if text in ("", "-"):
            continue
        try:
            values[field] = parse(text)
        except ValueError as problem:
            raise SuiteError(f"{INDEX_NAME} line {line}, column {number} ({title}): \"{text}\" {problem}") from None
    if "name" not in values:
        raise SuiteError(f"{INDEX_NAME} line {line}, column {columns.index(COLUMNS[0]) + 1} (name): is empty; write the image's "
                         "file name")
    return values


def parse_index(text):
    """[(line, {field: value})] of an index.tsv."""
    rows = []
    columns = None
    names = {}
    for line, content in enumerate(text.splitlines(), 1):
        if not content.strip() or content.startswith("#"):
            continue
        cells = content.split("\t")
        if columns is None:
            columns = header_of(cells, line)
            if columns is not None:
                continue
            columns = list(USUAL_COLUMNS)
        values = parse_row(cells, columns, line)
        if values["name"] in names:
            raise SuiteError(f"{INDEX_NAME} line {line}, column {columns.index(COLUMNS[0]) + 1} (name): \"{values['name']}\" is in "
                             f"line {names[values['name']]} already; give each its own name, and the file in a column \"image\"")
        names[values["name"]] = line
        rows.append((line, values))
    return rows


def is_multiboot(content):
    """Whether the first 8 KiB of a file have a header of Multiboot 1 ("OS image format")."""
    for offset in range(0, min(len(content), MULTIBOOT_SEARCH) - 11, 4):
        magic, flags, checksum = struct.unpack_from("<III", content, offset)
        if magic == MULTIBOOT_MAGIC and (magic + flags + checksum) & 0xffffffff == 0:
            return True
    return False


def wants_no_words(content):
    """Of images that take their words for arguments: the manifest's default would be one."""
    return content[:8] == FLAT_MAGIC or is_multiboot(content)


def beginning(path):
    with open(path, "rb") as file:
        return file.read(MULTIBOOT_SEARCH)


def why_no_image(content):
    """Why a file that the index does not name is not run, or None. Looks at what Bulkhead looks at."""
    if content[:8] == FLAT_MAGIC or content[0x202:0x206] == b"HdrS":
        return None
    if content[:4] == b"\x7fELF":
        kind = struct.unpack_from("<H", content, 16)[0] if len(content) >= 18 else 0
        return None if kind in ELF_EXECUTABLE else "an ELF file that is no program"
    if is_multiboot(content):
        return None
    return "no image: neither flat, ELF, bzImage nor Multiboot"


def vm_names(images):
    """Gives each image a name that a VM can have, and that no other has."""
    taken = set()
    for image in images:
        base = re.sub(r"\.(flat|elf|bin|img)$", "", image.name.lower())
        base = re.sub(r"[^a-z0-9_-]+", "-", base)[:NAME_MAX] or "image"
        name, number = base, 1
        while name in taken:
            number += 1
            name = f"{base[:NAME_MAX - 1 - len(str(number))]}-{number}"
        taken.add(name)
        image.vm_name = name


def find_file(folder, name, line):
    """The file of that name, or the only one that is called so but for what follows its last dot."""
    if (folder / name).is_file():
        return folder / name
    similar = sorted(path for path in folder.iterdir() if path.stem == name and path.is_file())
    if not similar:
        raise SuiteError(f"{INDEX_NAME} line {line} (name): there is no file {name}; remove the line or add the file")
    if len(similar) > 1:
        names = " or ".join(path.name for path in similar)
        raise SuiteError(f"{INDEX_NAME} line {line} (name): {name} may be {names}; write which")
    return similar[0]


def listed_images(folder, rows):
    images = []
    for line, values in rows:
        path = find_file(folder, values.pop("path", values["name"]), line)
        images.append(Image(path=path, listed=True, **values))
    return images


def read_index(path):
    try:
        return parse_index(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as problem:
        line = path.read_bytes()[:problem.start].count(b"\n") + 1
        raise SuiteError(f"{INDEX_NAME} line {line}: is no UTF-8 text; save it as UTF-8") from None


def find(folder):
    """The images of a folder, in the index's order, then by name; and [(file name, why it is none)]."""
    folder = Path(folder)
    if not folder.is_dir():
        raise SuiteError(f"{folder} is no folder; name one that holds images")
    rows = read_index(folder / INDEX_NAME) if (folder / INDEX_NAME).is_file() else []
    images = listed_images(folder, rows)
    named = {image.path.name for image in images} | {INDEX_NAME}
    others = []
    for path in sorted(folder.iterdir()):
        if not path.is_file() or path.name.startswith(".") or path.name in named:
            continue
        reason = why_no_image(beginning(path))
        if reason:
            others.append((path.name, reason))
        else:
            images.append(Image(name=path.name, path=path))
    if not images:
        raise SuiteError(f"{folder} has no image to run; copy flat, ELF, bzImage or Multiboot images there")
    for image in images:
        if image.cmdline is None and wants_no_words(beginning(image.path)):
            image.cmdline = ""
    vm_names(images)
    return images, others
