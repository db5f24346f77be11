"""Whether an image passed: from how its VM ended and what it printed. Pure; the rules are in docs/suite.md."""
import dataclasses
import re

PASSED = "passed"
FAILED = "failed"
SKIPPED = "skipped"
# kvm-unit-tests end with 77 where there is nothing that they can test.
NOTHING_TO_TEST = (77 << 1) | 1
EXIT_CODE = re.compile(r"the guest ended with exit code (\d+)$")
ENDS = {"power-off": "the guest powered off", "reset": "the guest asked for a reset"}


@dataclasses.dataclass
class End:
    """How it went with one VM.

    kind: "stopped" (it ran and ended: `code` is Bulkhead's E-code or "", `words` what the log says), "refused" (it never ran: words
    say why), "late" (its time limit passed), "lost" (the PC ended while it ran or was to run: words)."""
    kind: str
    words: str = ""
    code: str = ""
    seconds: float = 0.0
    output: tuple = ()       # lines; () where they were not asked for
    output_whole: bool = True


@dataclasses.dataclass
class Verdict:
    result: str
    words: str = ""


def failed(words):
    return Verdict(FAILED, words)


def needs_output(image, end):
    """Whether judge() looks at what the guest printed."""
    return image.expected.kind == "usual" and end.kind == "stopped" and end.words == ENDS["power-off"]


def judge_printed(end):
    """One that powered off must have said that it passed, and nothing else."""
    passes = [line for line in end.output if re.match(r"\W*TEST-PASS\b", line)]
    failures = [line for line in end.output if re.match(r"\W*TEST-FAIL\b", line)]
    if failures:
        return failed(f"powered off after {failures[0].strip()}")
    if not end.output_whole:
        return failed("powered off after more output than is kept, so that a TEST-FAIL may be lost; end by the debug-exit port")
    if not passes:
        return failed("powered off without an exit code or a line TEST-PASS")
    return Verdict(PASSED)


def judge_code(image, code):
    expected = image.expected
    if expected.kind in ("usual", "code") and code == expected.number:
        return Verdict(PASSED)
    if expected.kind == "usual" and code == NOTHING_TO_TEST:
        return Verdict(SKIPPED, f"exit code {code}: nothing that it can test here")
    wanted = expected.number if expected.kind in ("usual", "code") else expected.text
    return failed(f"exit code {code}; expected was {wanted}")


def judge_stopped(image, end):
    expected = image.expected
    found = EXIT_CODE.match(end.words)
    if found:
        return judge_code(image, int(found[1]))
    if expected.kind == "error" and end.code == expected.text:
        return Verdict(PASSED)
    if expected.kind == "words" and end.words == ENDS[expected.text]:
        return Verdict(PASSED)
    if needs_output(image, end):
        return judge_printed(end)
    wanted = {"usual": "", "code": f"; expected was exit code {expected.number}"}
    code = f"{end.code} " if end.code else ""
    return failed(f"stopped: {code}{end.words}{wanted.get(expected.kind, f'; expected was {expected.text}')}")


def judge(image, end):
    if end.kind == "stopped":
        return judge_stopped(image, end)
    if end.kind == "refused":
        # What Bulkhead must refuse is a test, too.
        if image.expected.kind == "error" and end.code == image.expected.text:
            return Verdict(PASSED)
        return failed(f"did not start: {end.code} {end.words}".rstrip())
    if end.kind == "late":
        return failed(f"time limit: did not end within {image.limit:g} s")
    return failed(f"the hypervisor: {end.words}")
