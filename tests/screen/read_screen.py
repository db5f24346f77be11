#!/usr/bin/env python3
"""Reads the text of a picture of Bulkhead's screen (PPM or PNG) by matching each cell with the font's glyphs.

usage: read_screen.py PICTURE [--font FONT.psf.gz]        prints the rows, one a line, without trailing spaces

A cell of two colours that form a glyph of the font reads as it, one of a single colour as a space, every other as
U+FFFD.
With a font other than the one that was drawn, most letters do not match: tests use that as their control.
"""
import argparse
import os
import struct
import sys
import zlib
from collections import Counter

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from font_to_c import load_font  # noqa: E402

DEFAULT_FONT = "/usr/share/consolefonts/Uni2-TerminusBold16.psf.gz"
UNREADABLE = "\ufffd"
MIN_LINES_PER_SCALE = 700  # as lib/font/glyph_blit.c has it
MAX_SCALE = 4


class Picture:
    """Pixels as 3-byte RGB values, row by row."""

    def __init__(self, width, height, rgb):
        self.width, self.height, self.rgb = width, height, rgb

    def pixel(self, x, y):
        at = (y * self.width + x) * 3
        return self.rgb[at : at + 3]


def parse_ppm(data):
    fields, at = [], 0
    while len(fields) < 4:
        end = at
        while data[end : end + 1] not in b" \t\r\n":
            end += 1
        if end > at and data[at : at + 1] != b"#":
            fields.append(data[at:end])
        at = data.index(b"\n", end) + 1 if data[at : at + 1] == b"#" else end + 1
    if fields[0] != b"P6" or fields[3] != b"255":
        raise ValueError("not a binary PPM of 8-bit samples")
    width, height = int(fields[1]), int(fields[2])
    if len(data) - at < width * height * 3:
        raise ValueError("PPM ends too early")
    return Picture(width, height, data[at : at + width * height * 3])


def png_unfilter(raw, height, line_bytes, pixel_bytes):
    """PNG specification, "Filter algorithms"."""
    lines, before = [], bytearray(line_bytes)
    for y in range(height):
        kind = raw[y * (line_bytes + 1)]
        line = bytearray(raw[y * (line_bytes + 1) + 1 : (y + 1) * (line_bytes + 1)])
        for i in range(line_bytes):
            left = line[i - pixel_bytes] if i >= pixel_bytes else 0
            up = before[i]
            corner = before[i - pixel_bytes] if i >= pixel_bytes else 0
            if kind == 1:
                line[i] = (line[i] + left) & 255
            elif kind == 2:
                line[i] = (line[i] + up) & 255
            elif kind == 3:
                line[i] = (line[i] + (left + up) // 2) & 255
            elif kind == 4:
                estimate = left + up - corner
                distances = abs(estimate - left), abs(estimate - up), abs(estimate - corner)
                line[i] = (line[i] + (left, up, corner)[distances.index(min(distances))]) & 255
        lines.append(line)
        before = line
    return lines


def parse_png(data):
    at, packed, palette = 8, b"", b""
    width = height = depth = colour_type = 0
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour_type, _, _, interlace = struct.unpack(">IIBBBBB", body)
            if interlace:
                raise ValueError("interlaced PNG")
        elif kind == b"PLTE":
            palette = body
        elif kind == b"IDAT":
            packed += body
        at += 12 + length
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour_type]
    line_bytes = (width * samples * depth + 7) // 8
    lines = png_unfilter(zlib.decompress(packed), height, line_bytes, max(1, samples * depth // 8))
    rgb = bytearray()
    for line in lines:
        if depth == 16:
            line = line[::2]
        elif depth < 8:
            line = [line[i * depth // 8] >> (8 - depth - i * depth % 8) & ((1 << depth) - 1) for i in range(width)]
        for x in range(width):
            if colour_type == 3:
                rgb += palette[line[x] * 3 : line[x] * 3 + 3]
            elif colour_type in (0, 4):
                rgb += bytes([line[x * samples] * (255 // ((1 << min(depth, 8)) - 1))]) * 3
            else:
                rgb += bytes(line[x * samples : x * samples + 3])
    return Picture(width, height, bytes(rgb))


def load_picture(path):
    with open(path, "rb") as file:
        data = file.read()
    return parse_png(data) if data[:8] == b"\x89PNG\r\n\x1a\n" else parse_ppm(data)


def glyph_texts(font):
    """Bits of each glyph -> its lowest code point: look-alikes (Latin and Cyrillic A) read as the Latin one."""
    texts = {}
    for code_point, glyph in sorted(font.code_points.items(), reverse=True):
        rows = font.glyphs[glyph]
        bits = "".join(
            "1" if rows[y * font.row_bytes + x // 8] >> (7 - x % 8) & 1 else "0"
            for y in range(font.height)
            for x in range(font.width)
        )
        texts[bits] = chr(code_point)
    return texts


def scale_of(picture):
    scale = 1
    while scale < MAX_SCALE and picture.height // (2 * scale) >= MIN_LINES_PER_SCALE:
        scale *= 2
    return scale


def read_cell(picture, texts, font, scale, left, top, usual_background):
    size = font.width * scale
    lines = []
    for y in range(top, top + font.height * scale, scale):
        at = (y * picture.width + left) * 3
        lines.append(picture.rgb[at : at + size * 3])
    pixels = [line[x : x + 3] for line in lines for x in range(0, size * 3, scale * 3)]
    colours = list(set(pixels))
    if len(colours) == 1:
        return " "
    if len(colours) != 2:
        return UNREADABLE
    colours.sort(key=lambda colour: colour == usual_background)
    for foreground in colours:
        bits = "".join("1" if pixel == foreground else "0" for pixel in pixels)
        if bits in texts:
            return texts[bits]
    return UNREADABLE


def read_screen(picture, font, scale=None):
    """The rows of the screen as strings, trailing spaces left out, trailing empty rows too."""
    scale = scale or scale_of(picture)
    texts = glyph_texts(font)
    usual = Counter(picture.rgb[i : i + 3] for i in range(0, len(picture.rgb), 3 * 7)).most_common(1)[0][0]
    cell_width, cell_height = font.width * scale, font.height * scale
    rows = []
    for top in range(0, picture.height - cell_height + 1, cell_height):
        cells = (
            read_cell(picture, texts, font, scale, left, top, usual)
            for left in range(0, picture.width - cell_width + 1, cell_width)
        )
        rows.append("".join(cells).rstrip())
    while rows and not rows[-1]:
        rows.pop()
    return rows


def main():
    parser = argparse.ArgumentParser(description="prints the text of a picture of Bulkhead's screen")
    parser.add_argument("picture")
    parser.add_argument("--font", default=DEFAULT_FONT)
    options = parser.parse_args()
    print("\n".join(read_screen(load_picture(options.picture), load_font(options.font))))


if __name__ == "__main__":
    main()
