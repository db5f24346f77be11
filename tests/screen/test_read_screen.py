"""The screen reader against pictures that Bulkhead's own drawing code made (host tool render_text)."""
import os
import struct
import subprocess
import sys
import zlib

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import read_screen  # noqa: E402

BUILD = os.environ.get("BUILD", "build")
RENDER = os.path.join(BUILD, "tools", "render_text")
WRONG_FONT = "/usr/share/consolefonts/Uni2-VGA16.psf.gz"
TEXT = [
    "Bulkhead 0.1: 2 CPUs, 512 MiB",
    "",
    "   E105 bulkhead.toml line 7: [vm] memory = \"10^20\"",
    "the quick brown fox jumps over the lazy dog 0123456789 !#$%&'()*+,-./:;<=>?@[]^_`{|}~",
    "\u250c\u2500\u2500\u2510 caf\u00e9 \u00fcber \u2502\u2592\u2502",
    "bulkhead>",
]


def render(text, width=1024, height=768, depth=32):
    assert os.path.exists(RENDER), f"{RENDER} is missing: make host-tools first"
    command = [RENDER, str(width), str(height), str(depth)]
    return subprocess.run(command, input=text.encode(), capture_output=True, check=True).stdout


def read(ppm, font=read_screen.DEFAULT_FONT):
    return read_screen.read_screen(read_screen.parse_ppm(ppm), read_screen.load_font(font))


def png_of(picture, colour_type):
    """A PNG of the picture that uses every filter in turn."""
    samples = {2: 3, 6: 4}[colour_type]
    raw, before = b"", bytes(picture.width * samples)
    for y in range(picture.height):
        line = b"".join(picture.pixel(x, y) + b"\xff" * (samples - 3) for x in range(picture.width))
        kind, out = y % 5, bytearray()
        for i, value in enumerate(line):
            left = line[i - samples] if i >= samples else 0
            corner = before[i - samples] if i >= samples else 0
            up, estimate = before[i], left + before[i] - corner
            distances = abs(estimate - left), abs(estimate - up), abs(estimate - corner)
            paeth = (left, up, corner)[distances.index(min(distances))]
            out.append((value - (0, left, up, (left + up) // 2, paeth)[kind]) & 255)
        raw, before = raw + bytes([kind]) + bytes(out), line

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", picture.width, picture.height, 8, colour_type, 0, 0, 0)
    packed = zlib.compress(raw)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed[:100]) + chunk(b"IDAT", packed[100:])
            + chunk(b"IEND", b""))


@pytest.mark.parametrize("depth", [16, 24, 32])
@pytest.mark.parametrize("size", [(800, 600), (1280, 800), (2560, 1440)])
def test_read_screen_reads_what_was_drawn(size, depth):
    assert read(render("\n".join(TEXT), *size, depth)) == TEXT


def test_read_screen_reads_the_cursor_and_colours():
    ppm = render("\x1b[31mred\x1b[0m \x1b[7minverse\x1b[0m \x1b[1;33;44mbold\x1b[0m\n> \x1b[2D")
    assert read(ppm) == ["red inverse bold", ">"]


def test_read_screen_wrong_font_does_not_read():
    rows = read(render("\n".join(TEXT)), WRONG_FONT)
    assert rows != TEXT
    assert "".join(rows).count(read_screen.UNREADABLE) > 50
    assert not any("bulkhead>" in row for row in rows)


def test_read_screen_foreign_pixels_are_unreadable():
    ppm = bytearray(render("abc"))
    ppm[-1024 * 768 * 3 + 3 * 1024 * 3 + 9 * 3] ^= 0x55  # one pixel of the second cell
    assert read(bytes(ppm)) == ["a" + read_screen.UNREADABLE + "c"]


def test_read_screen_scrolled_text():
    rows = read(render("\n".join(f"line {i}" for i in range(100)), 800, 600))
    assert rows[-1] == "line 99"
    assert len(rows) == 600 // 16


@pytest.mark.parametrize("colour_type", [2, 6])
def test_read_screen_reads_png(colour_type):
    picture = read_screen.parse_ppm(render("hello png", 160, 48))
    again = read_screen.parse_png(png_of(picture, colour_type))
    assert again.rgb == picture.rgb


def test_read_screen_refuses_damaged_files():
    for data in (b"P5\n1 1\n255\n\0", b"P6\n9 9\n255\n\0", b"P6\n1 1\n65535\n\0\0"):
        with pytest.raises((ValueError, IndexError)):
            read_screen.parse_ppm(data)
