#!/usr/bin/env python3
"""Writes the function table of a linked ring 0 image as a C file (kernel/symbols.c reads it).

usage: ksyms.py IMAGE OUTPUT.c     (IMAGE "-": an empty table, for the first link)
"""
import subprocess
import sys


def functions(image):
    lines = subprocess.run(["nm", "--defined-only", "-n", image], check=True, capture_output=True, text=True).stdout
    found = {}
    for line in lines.splitlines():
        address, kind, name = line.split(maxsplit=2)
        if kind in "tT" and "." not in name and name not in ("image_start", "text_end"):
            found[int(address, 16)] = name
    return sorted(found.items())


def main():
    image, output = sys.argv[1:]
    table = [] if image == "-" else functions(image)
    text, starts = "", []
    for _, name in table:
        starts.append(len(text))
        text += name + "\0"
    lines = ["/* Made by tools/ksyms.py. */", "#include <stdint.h>",
             'extern const uint32_t symbol_count, symbol_offsets[], symbol_names[];', "extern const char symbol_text[];",
             '#define IN_SYMBOLS __attribute__((section(".symbols")))',
             f"IN_SYMBOLS const uint32_t symbol_count = {len(table)};",
             "IN_SYMBOLS const uint32_t symbol_offsets[] = {" + ",".join(str(a) for a, _ in table or [(0, "")]) + "};",
             "IN_SYMBOLS const uint32_t symbol_names[] = {" + ",".join(map(str, starts or [0])) + "};",
             "IN_SYMBOLS const char symbol_text[] ="]
    lines += [f'\t"{name}\\0"' for _, name in table] or ['\t""']
    with open(output, "w", encoding="ascii") as out:
        out.write("\n".join(lines) + ";\n")


main()
