"""The README's session is what happens: its commands are typed, and its answers must come, in that order.

Numbers may differ, and the width of blanks; all else is compared. `^]` in the README is the key Ctrl-].
"""
import re

import harness
import pytest

README = (harness.ROOT / "README.md").read_text(encoding="utf-8")
PROMPTS = (harness.GUEST_PROMPT, harness.HOST_PROMPT)
LINES_MOST = 20


def session_lines():
    return re.search(r"## A session\n.*?```console\n(.*?)```", README, re.DOTALL).group(1).splitlines()


def pattern_of(line):
    """Matches that line with other numbers and other blanks."""
    text = re.sub(r"\s+", " ", line.strip())
    return re.compile(re.sub(rb"\d+", rb"\\d+", re.escape(text).encode()).replace(rb"\ ", rb"\s+"))


def test_readme_session_is_short():
    assert 5 < len(session_lines()) <= LINES_MOST


@pytest.mark.boot(cpus=2, memory=1024, fresh=True)
def test_readme_session_happens(boot):
    for line in session_lines():
        prompt = next((prompt for prompt in PROMPTS if line.startswith(prompt)), None)
        if line.startswith("$ "):
            continue
        if prompt:
            boot.wait_for(prompt)
            line = line[len(prompt):]
        if line == "^]":
            boot.type(harness.TO_HOST)
        elif prompt:
            boot.type(line + "\r")
        else:
            boot.wait_for(pattern_of(line))
    boot.wait_end()
