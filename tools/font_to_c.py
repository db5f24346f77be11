#!/usr/bin/env python3
"""Turns a PC Screen Font (PSF1 or PSF2, gzipped or not) into the C source of one `const struct font` (lib/font/font.h).

usage: font_to_c.py FONT.psf[.gz] NAME OUTPUT.c

Also a module: load_font() is what the screen reader of the tests uses.
Format: PSF1 and PSF2 as the kbd package describes them ("psf - PC Screen Font").
"""
import gzip
import struct
import sys
from dataclasses import dataclass, field

PSF1_MAGIC = b"\x36\x04"
PSF1_MODE_512 = 0x01
PSF1_MODE_HAS_TABLE = 0x06
PSF1_SEPARATOR = 0xFFFF
PSF1_START_SEQUENCE = 0xFFFE
PSF2_MAGIC = b"\x72\xb5\x4a\x86"
PSF2_HAS_TABLE = 0x01
PSF2_SEPARATOR = 0xFF
PSF2_START_SEQUENCE = 0xFE


@dataclass
class Font:
    width: int
    height: int
    glyphs: list  # bytes of each glyph, row by row, leftmost pixel in bit 7 of the first byte
    code_points: dict = field(default_factory=dict)  # Unicode code point -> glyph number

    @property
    def row_bytes(self):
        return (self.width + 7) // 8


def psf1_table(data, glyph_count):
    code_points, glyph, in_sequence = {}, 0, False
    for (unit,) in struct.iter_unpack("<H", data[: len(data) // 2 * 2]):
        if unit == PSF1_SEPARATOR:
            glyph, in_sequence = glyph + 1, False
            if glyph == glyph_count:
                break
        elif unit == PSF1_START_SEQUENCE:
            in_sequence = True
        elif not in_sequence:
            code_points.setdefault(unit, glyph)
    return code_points


def psf2_table(data, glyph_count):
    code_points = {}
    for glyph, entry in enumerate(data.split(bytes([PSF2_SEPARATOR]))[:glyph_count]):
        singles = entry.split(bytes([PSF2_START_SEQUENCE]))[0]
        for character in singles.decode("utf-8"):
            code_points.setdefault(ord(character), glyph)
    return code_points


def parse_font(data):
    if data[:2] == PSF1_MAGIC:
        mode, height = data[2], data[3]
        width, count, start, size = 8, 512 if mode & PSF1_MODE_512 else 256, 4, height
        has_table, read_table = mode & PSF1_MODE_HAS_TABLE, psf1_table
    elif data[:4] == PSF2_MAGIC:
        _, start, flags, count, size, height, width = struct.unpack_from("<7I", data, 4)
        has_table, read_table = flags & PSF2_HAS_TABLE, psf2_table
    else:
        raise ValueError("neither PSF1 nor PSF2")
    if size != height * ((width + 7) // 8) or len(data) < start + count * size:
        raise ValueError("glyph size or file size is wrong")
    glyphs = [data[start + i * size : start + (i + 1) * size] for i in range(count)]
    table = data[start + count * size :]
    code_points = read_table(table, count) if has_table else {i: i for i in range(min(count, 128))}
    return Font(width, height, glyphs, code_points)


def load_font(path):
    with open(path, "rb") as file:
        data = file.read()
    return parse_font(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)


def c_source(font, name, origin):
    mapping = sorted((c, g) for c, g in font.code_points.items() if c <= 0xFFFF)
    replacement = font.code_points.get(0xFFFD, font.code_points.get(ord("?"), 0))
    bitmap = "".join(f"{byte}," for glyph in font.glyphs for byte in glyph)
    pairs = "".join(f"{{{code},{glyph}}}," for code, glyph in mapping)
    return (
        f"/* Made by tools/font_to_c.py from {origin}. */\n"
        '#include "lib/font/font.h"\n'
        f"static const uint8_t bitmap[] = {{{bitmap}}};\n"
        f"static const struct font_code_point code_points[] = {{{pairs}}};\n"
        f"const struct font {name} = {{\n"
        f"\t.width_pixels = {font.width}, .height_pixels = {font.height}, .row_bytes = {font.row_bytes},\n"
        f"\t.glyph_count = {len(font.glyphs)}, .replacement_glyph = {replacement}, "
        f".code_point_count = {len(mapping)},\n"
        "\t.bitmap = bitmap, .code_points = code_points,\n"
        "};\n"
    )


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    path, name, output = sys.argv[1:]
    try:
        font = load_font(path)
    except (OSError, ValueError, EOFError) as error:
        sys.exit(f"font_to_c: {path}: {error}; the font comes with Debian's package console-setup-linux, "
                 "another one can be named with make CONSOLE_FONT=FILE")
    with open(output, "w", encoding="ascii") as file:
        file.write(c_source(font, name, path.rsplit("/", 1)[-1]))


if __name__ == "__main__":
    main()
