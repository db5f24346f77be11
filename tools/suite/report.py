"""What a suite's user reads: a line for each image, the closing line, and JUnit XML."""
import re
import xml.etree.ElementTree as ElementTree

import verdict

TAIL_LINES = 12
TAIL_COLUMNS = 200       # what draws a screen prints no newline
XML_LINES = 400
# What XML 1.0 cannot hold (section "Characters").
NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
WORDS = {verdict.PASSED: "pass", verdict.FAILED: "FAIL", verdict.SKIPPED: "skip"}


def image_lines(image, end, result):
    """What is printed of one image: its result and, where it did not pass, the tail of what it printed."""
    words = f": {result.words}" if result.words else ""
    yield f"{WORDS[result.result]} {end.seconds:8.2f} s  {image.name}{words}"
    if result.result == verdict.PASSED:
        return
    for line in end.output[-TAIL_LINES:]:
        yield f"                  | {line if len(line) <= TAIL_COLUMNS else line[:TAIL_COLUMNS] + ' ...'}"


def closing_line(results):
    counts = {name: sum(result.result == name for result in results) for name in WORDS}
    return f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped"


def clean(text):
    return NOT_IN_XML.sub("?", text)


def write_xml(path, folder, rows, others, seconds):
    """rows: (image, end, verdict) each; others: files that are no images."""
    results = [row[2].result for row in rows]
    suite = ElementTree.Element("testsuite", name=clean(str(folder)), tests=str(len(rows) + len(others)),
                                failures=str(results.count(verdict.FAILED)), errors="0",
                                skipped=str(results.count(verdict.SKIPPED) + len(others)), time=f"{seconds:.3f}")
    for image, end, result in rows:
        case = ElementTree.SubElement(suite, "testcase", classname="suite", name=clean(image.name), time=f"{end.seconds:.3f}")
        if result.result == verdict.FAILED:
            ElementTree.SubElement(case, "failure", message=clean(result.words)).text = clean(result.words)
        elif result.result == verdict.SKIPPED:
            ElementTree.SubElement(case, "skipped", message=clean(result.words))
        if end.output:
            ElementTree.SubElement(case, "system-out").text = clean("\n".join(end.output[-XML_LINES:]))
    for name, reason in others:
        case = ElementTree.SubElement(suite, "testcase", classname="suite", name=clean(name), time="0")
        ElementTree.SubElement(case, "skipped", message=clean(reason))
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
