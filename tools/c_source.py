"""What lint.py, stats.py and ring0_lines.py must know of C and nasm text: where comments, strings and functions are.

No parser: comments and literals are found by one regular expression, functions by their braces. The project's own style
(a function's closing brace in column 1, no conditional compilation) is what makes that enough.
"""
import re

C_TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)
ASM_TOKEN = re.compile(r';[^\n]*|"[^"\n]*"|\'[^\'\n]*\'')
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
NOT_FUNCTIONS = {"if", "for", "while", "switch", "return", "sizeof", "_Static_assert", "__attribute__", "enum", "struct", "union"}


def is_comment(token):
    return token.startswith(("/*", "//", ";"))


def blank(text):
    """The same lines and columns with nothing on them."""
    return re.sub(r"[^\n]", " ", text)


def comments(path, text):
    """(offset, text) of each comment."""
    token = ASM_TOKEN if path.endswith(".asm") else C_TOKEN
    return [(match.start(), match.group()) for match in token.finditer(text) if is_comment(match.group())]


def without_comments(path, text):
    token = ASM_TOKEN if path.endswith(".asm") else C_TOKEN
    return token.sub(lambda match: blank(match.group()) if is_comment(match.group()) else match.group(), text)


def code_only(path, text):
    """Comments and the inside of literals blanked; every other character stays at its place."""
    token = ASM_TOKEN if path.endswith(".asm") else C_TOKEN
    return token.sub(lambda match: blank(match.group()) if is_comment(match.group())
                     else match.group()[0] + blank(match.group()[1:-1]) + match.group()[-1], text)


def without_directives(code):
    return DIRECTIVE.sub(lambda match: blank(match.group()), code)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def closing(code, opening):
    """Offset of the brace or parenthesis that closes the one at `opening`; -1 if none does."""
    pair = {"{": "}", "(": ")"}[code[opening]]
    depth = 0
    for match in re.compile("[" + re.escape(code[opening] + pair) + "]").finditer(code, opening):
        depth += 1 if match.group() == code[opening] else -1
        if depth == 0:
            return match.start()
    return -1


def blocks(code):
    """(head, start, opening brace, closing brace) of everything in braces at file scope. code: without directives."""
    position = start = 0
    while True:
        match = re.compile(r"[;{]").search(code, position)
        if not match:
            return
        if match.group() == ";":
            position = start = match.end()
            continue
        end = closing(code, match.start())
        if end < 0:
            return
        yield code[start:match.start()], start, match.start(), end
        position = end + 1
        # After the braces of a struct or an initializer more words stand on the same line; after a function nothing does.
        if not code[position:].split("\n", 1)[0].strip():
            start = position


def functions(code):
    """(name, first line, last line, body) of each function. code: code_only() without directives."""
    for head, start, opening, end in blocks(code):
        words = re.sub(r"__attribute__\s*\(\(.*?\)\)", "", head, flags=re.DOTALL)
        match = re.search(r"(\w+)\s*\(", words)
        if not match or "=" in words or match.group(1) in NOT_FUNCTIONS or not words.rstrip().endswith(")"):
            continue
        first = start + len(head) - len(head.lstrip())
        yield match.group(1), line_of(code, first), line_of(code, end), code[opening:end + 1]


def code_lines(path, text):
    """Lines that hold more than blanks and comments."""
    return sum(1 for line in without_comments(path, text).split("\n") if line.strip())
