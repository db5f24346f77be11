"""tools/suite/images.py: index.tsv, what counts as an image, the VMs' names."""
import struct
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools/suite"))
import images

FLAT = b"BULKFLAT" + bytes(56)


def row(text):
    (_, values), = images.parse_index(text)
    return values


def test_the_usual_columns_need_no_header():
    assert row("a.flat\t4\t64M\t-x y\tENV=1\\n\t30\t3\n") == {
        "name": "a.flat", "vcpus": 4, "memory": 64 << 20, "cmdline": "-x y", "module": "ENV=1\n", "limit": 30.0,
        "expected": images.Expectation("code", 3)}


def test_a_header_names_columns_in_any_order():
    text = "Expected_exit_code\tname\tCommand line\timage\n# a comment\n\n0x21\tfirst\t\tx.bin\n"
    assert row(text) == {"name": "first", "expected": images.Expectation("code", 33), "path": "x.bin"}


def test_titles_may_name_their_unit():
    assert row("name\tmemory (MiB)\ttime_limit_s\na\t64\t5\n") == {"name": "a", "memory": 64 << 20, "limit": 5.0}
    with pytest.raises(images.SuiteError, match="no column is called \"memory KiB\""):
        row("name\tmemory KiB\na\t64\n")


def test_cells_that_are_missing_or_empty_mean_the_default():
    assert row("name\tvcpus\tmemory\na\t-\t\n") == {"name": "a"}
    assert row("a") == {"name": "a"}


@pytest.mark.parametrize("cell, size", [("64", 64 << 20), ("2M", 2 << 20), ("1G", 1 << 30), ("4096K", 4 << 20), ("6MiB", 6 << 20),
                                        ("4194304", 4 << 20)])
def test_sizes(cell, size):
    assert images.parse_size(cell) == size


@pytest.mark.parametrize("cell, seconds", [("90", 90), ("0.5", 0.5), ("500ms", 0.5), ("10s", 10), ("2m", 120)])
def test_limits(cell, seconds):
    assert images.parse_limit(cell) == seconds


@pytest.mark.parametrize("cell, kind", [("0x21", "code"), ("power-off", "words"), ("reset", "words"), ("E301", "error")])
def test_expected_ends(cell, kind):
    assert images.parse_expected(cell).kind == kind


@pytest.mark.parametrize("text, message", [
    ("name\tvcpus\nok\t1\na\tmany\n", 'line 3, column 2 (vcpus): "many" is no number of virtual CPUs; write 1 to 64'),
    ("a\t65\n", 'line 1, column 2 (vcpus): "65" is no number'),
    ("a\t1\t1M\n", 'line 1, column 3 (memory): "1M" is no memory that a VM can have; write 2M to 1024G'),
    ("a\t1\tbig\n", 'line 1, column 3 (memory): "big" is no size; write MiB'),
    ("a\t\t\t\tx\\q\n", "line 1, column 5 (module text): \"x\\q\" has a backslash that begins nothing"),
    ("a\t\t\t\t\t0\n", 'line 1, column 6 (time limit): "0" is no time limit; write seconds'),
    ("a\t\t\t\t\t\tyes\n", 'line 1, column 7 (expected exit code): "yes" is no expected exit code; write a number'),
    ("a\t\t\t\t\t\t1\tb\n", "line 1, column 8: there are only 7 columns; remove what is too much"),
    ("name\tcolour\na\tred\n", 'line 1, column 2: no column is called "colour"; write one of: name, vcpus'),
    ("name\tname\na\tb\n", 'line 1, column 2: "name" is there twice'),
    ("vcpus\tmemory\n1\t2M\n", 'line 1, column 1: no column is called "name"; add it'),
    ("name\tvcpus\n\t2\n", "line 2, column 1 (name): is empty; write the image's file name"),
    ("a\nb\na\n", 'line 3, column 1 (name): "a" is in line 1 already'),
    ("../a\n", 'line 1, column 1 (name): "../a" is no file of this folder'),
])
def test_mistakes_name_line_column_and_remedy(text, message):
    with pytest.raises(images.SuiteError) as problem:
        images.parse_index(text)
    assert f"index.tsv {message}" in str(problem.value)


def test_the_index_comes_first_and_the_others_have_defaults(tmp_path):
    for name in ("b.flat", "a.flat", "c.flat"):
        (tmp_path / name).write_bytes(FLAT)
    (tmp_path / "index.tsv").write_text("c.flat\t2\n")
    wanted, others = images.find(tmp_path)
    assert [(image.name, image.vcpus, image.listed) for image in wanted] == [("c.flat", 2, True), ("a.flat", 1, False),
                                                                             ("b.flat", 1, False)]
    assert wanted[1].memory == 128 << 20 and wanted[1].limit == 90 and wanted[1].expected == images.Expectation()
    assert others == []


def test_one_file_can_be_several_images(tmp_path):
    (tmp_path / "a.bin").write_bytes(FLAT)
    (tmp_path / "index.tsv").write_text("name\timage\tcommand line\none\ta.bin\tx\ntwo\ta.bin\ty\n")
    wanted, _ = images.find(tmp_path)
    assert [(image.name, image.path.name, image.cmdline) for image in wanted] == [("one", "a.bin", "x"), ("two", "a.bin", "y")]


def test_a_file_that_the_index_names_must_be_there(tmp_path):
    (tmp_path / "index.tsv").write_text("# images\nmissing.flat\n")
    with pytest.raises(images.SuiteError, match="index.tsv line 2 .name.: there is no file missing.flat; remove the line"):
        images.find(tmp_path)


def test_a_name_may_leave_out_what_follows_the_dot(tmp_path):
    for name in ("a.flat", "b.flat", "b.elf"):
        (tmp_path / name).write_bytes(FLAT)
    (tmp_path / "index.tsv").write_text("a\n")
    assert [(image.name, image.path.name) for image in images.find(tmp_path)[0]][0] == ("a", "a.flat")
    (tmp_path / "index.tsv").write_text("a\nb\n")
    with pytest.raises(images.SuiteError, match="index.tsv line 2 .name.: b may be b.elf or b.flat; write which"):
        images.find(tmp_path)


@pytest.mark.parametrize("prepare", [lambda folder: None, lambda folder: (folder / "README").write_text("text"),
                                     lambda folder: (folder / ".hidden").write_bytes(FLAT)])
def test_a_folder_without_images_is_an_error(tmp_path, prepare):
    prepare(tmp_path)
    with pytest.raises(images.SuiteError, match="has no image to run; copy"):
        images.find(tmp_path)


def test_a_folder_that_is_none_is_an_error(tmp_path):
    with pytest.raises(images.SuiteError, match="is no folder"):
        images.find(tmp_path / "nothing")


def elf(kind):
    return b"\x7fELF" + bytes(12) + struct.pack("<H", kind) + bytes(40)


def multiboot(offset, error=0):
    return bytes(offset) + struct.pack("<III", 0x1badb002, 3, (-0x1badb002 - 3 + error) & 0xffffffff)


@pytest.mark.parametrize("content, runs", [
    (FLAT, True), (elf(2), True), (elf(3), True), (elf(1), False), (multiboot(0), True), (multiboot(8180), True),
    (multiboot(8184), False), (multiboot(6), False), (multiboot(16, error=1), False), (bytes(0x202) + b"HdrS", True),
    (b"", False), (b"\x7fELF", False), (b"#!/bin/sh\n", False)])
def test_what_is_an_image(content, runs):
    assert (images.why_no_image(content[:images.MULTIBOOT_SEARCH]) is None) == runs


def test_test_images_get_no_words_that_nobody_wrote(tmp_path):
    (tmp_path / "flat").write_bytes(FLAT)
    (tmp_path / "multiboot").write_bytes(multiboot(64))
    (tmp_path / "linux").write_bytes(bytes(0x202) + b"HdrS")
    (tmp_path / "index.tsv").write_text("name\tcmdline\timage\nwords\tx\tflat\nplain\t\tflat\n")
    wanted, _ = images.find(tmp_path)
    assert {image.name: image.cmdline for image in wanted} == {"words": "x", "plain": "", "multiboot": "", "linux": None}


def test_files_that_are_no_images_are_named(tmp_path):
    (tmp_path / "a.flat").write_bytes(FLAT)
    (tmp_path / "a.o").write_bytes(elf(1))
    wanted, others = images.find(tmp_path)
    assert [image.name for image in wanted] == ["a.flat"] and others == [("a.o", "an ELF file that is no program")]


def test_vm_names_are_valid_and_unique():
    long = "x" * 40
    wanted = [images.Image(name=name, path=None) for name in ("A b.flat", "a-b.elf", "a-b", long, long + "y", "é.bin", "...")]
    images.vm_names(wanted)
    assert [image.vm_name for image in wanted] == ["a-b", "a-b-2", "a-b-3", "x" * 31, "x" * 29 + "-2", "-", "--2"]
