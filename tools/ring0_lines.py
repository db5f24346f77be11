#!/usr/bin/env python3
"""`make ring0-lines`: lines of code of the ring 0 image, the figure `ring0_lines`.

Counts the non-blank, non-comment lines of every .c, .h and .asm that is linked into it: what the dependency files (.d) named
on the command line list, each file once, so that code of lib/ that ring 0 uses counts. Not counted: generated tables (font,
symbols, offsets) and the compiler's own headers. With --folders: the sum of each folder too.
"""
import collections
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import c_source  # noqa: E402

ENDINGS = (".c", ".h", ".asm")


def dependencies(path):
    """The files of a dependency file's first rule; the others (-MP) have none."""
    rule = path.read_text(encoding="utf-8").replace("\\\n", " ").split("\n", 1)[0]
    return rule.split(":", 1)[1].split()


def counted_files(dependency_files):
    names = {name for path in dependency_files for name in dependencies(path)}
    names = {str(Path(name)) for name in names if name.endswith(ENDINGS)}
    return sorted(name for name in names if not Path(name).is_absolute() and "generated" not in Path(name).parts)


def lines_of_files(names):
    return {name: c_source.code_lines(name, Path(name).read_text(encoding="utf-8")) for name in names}


def main():
    words = [word for word in sys.argv[1:] if word != "--folders"]
    lines = lines_of_files(counted_files([Path(word) for word in words]))
    if not lines:
        raise SystemExit("tools/ring0_lines.py: no dependency files; build the kernel first")
    if "--folders" in sys.argv[1:]:
        folders = collections.Counter()
        for name, count in lines.items():
            folders["/".join(name.split("/")[:-1])] += count
        for folder, count in sorted(folders.items()):
            print(f"{count:7}  {folder}/")
    print(f"ring0_lines {sum(lines.values())}")


if __name__ == "__main__":
    main()
