#!/usr/bin/env python3
"""`make stats`: the sizes that style rule 2 bounds: files, functions, the five longest functions.

The product only: what tests/ and tools/ hold is not counted. Ring 0's lines are tools/ring0_lines.py's, which make runs next.
"""
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import c_source  # noqa: E402
import lint  # noqa: E402


def quantile(numbers, share):
    return sorted(numbers)[min(len(numbers) - 1, int(len(numbers) * share))]


def row(what, numbers, goal):
    print(f"{what:22} {len(numbers):6} {quantile(numbers, 0.5):7} {quantile(numbers, 0.9):5} {max(numbers):5}   {goal}")


def main():
    tree = lint.Tree()
    names = [name for name in tree.names(*lint.SOURCES) if not name.startswith(("tests/", "tools/"))]
    sizes = {name: tree.text[name].count("\n") for name in names}
    functions = [(last - first + 1, function, name, first) for name in names if name in tree.plain
                 for function, first, last, _ in c_source.functions(tree.plain[name])]
    print(f"{'lines of':22} {'count':>6} {'median':>7} {'p90':>5} {'max':>5}   goal")
    row("files (.c)", [size for name, size in sizes.items() if name.endswith(".c")], "80 - 250, never over 600")
    row("files (.c .h .asm)", list(sizes.values()), "")
    row("functions", [size for size, *_ in functions], "median 15, p90 45, never over 80")
    print("\nthe five longest functions")
    for size, function, name, first in sorted(functions, reverse=True)[:5]:
        print(f"{size:6}  {function}()  {name}:{first}")
    print("\nthe five longest files")
    for name in sorted(sizes, key=sizes.get, reverse=True)[:5]:
        print(f"{sizes[name]:6}  {name}")
    total = sum(c_source.code_lines(name, tree.text[name]) for name in names)
    words = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=lint.ROOT, capture_output=True, text=True, check=False)
    print(f"\n{total} lines of code outside tests/ and tools/ (revision {words.stdout.strip() or 'unknown'})")


if __name__ == "__main__":
    main()
