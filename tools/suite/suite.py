#!/usr/bin/env python3
"""`./dev suite DIR`: runs every image of a folder as a VM, many in one boot of Bulkhead, and says which passed.

Owns the command line, the PCs and how images are shared out among boots. docs/suite.md is its reference. Exit status: 0 where every
image passed; 1 where one did not; 2 where nothing could be run.
"""
import argparse
import fnmatch
import os
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT / "tools")]
import boot
import cache
import emulator
import images
import mkimage
import report
import verdict
from prompt import Prompt, PromptLost

BUILD = Path(os.environ.get("BUILD", ROOT / "build"))
BOCHS_CPUS_MAX = 4
FEW = 6                      # so many images of one CPU are not worth a boot of their own
BATCH_BYTES = 256 << 20      # of files in one boot: all of them are loaded into memory


class Reporter:
    """Judges, prints at once, and keeps what the closing line and the XML need."""

    def __init__(self, wanted):
        self.rows = []
        self._place = {id(image): number for number, image in enumerate(wanted)}

    def ended(self, image, end, prompt):
        """prompt: where what it printed can be asked for; None: nowhere."""
        try:
            if prompt is not None and (verdict.needs_output(image, end) or verdict.judge(image, end).result != verdict.PASSED):
                end.output, end.output_whole = prompt.output_of(image.vm_name)
        finally:  # also where the PC is lost meanwhile
            result = verdict.judge(image, end)
            self.rows.append((image, end, result))
            for line in report.image_lines(image, end, result):
                print(line, flush=True)

    def in_order(self):
        return sorted(self.rows, key=lambda row: self._place[id(row[0])])


def batches(wanted):
    """Images by boots: those of several CPUs apart where both kinds are many, no more than a manifest or the memory takes."""
    one = [image for image in wanted if image.vcpus == 1]
    several = [image for image in wanted if image.vcpus > 1]
    groups = [one, several] if len(one) > FEW and several else [wanted]
    result = []
    for group in groups:
        batch, size = [], 0
        for image in group:
            image_bytes = image.path.stat().st_size
            if batch and (len(batch) == boot.VMS_MAX or size + image_bytes > BATCH_BYTES):
                result.append(batch)
                batch, size = [], 0
            batch.append(image)
            size += image_bytes
        if batch:
            result.append(batch)
    return result


def make_volume(batch, folder):
    """The boot volume of one boot; returns the disk image."""
    (folder / "bulkhead.toml").write_text(boot.manifest(batch), encoding="utf-8")
    words = ["--build", str(BUILD), "--linux", "", "--manifest", str(folder / "bulkhead.toml"), "--output", str(folder / "volume")]
    for number, image in enumerate(batch):
        words += ["--add", f"{image.path}={boot.place_of(image)}"]
        if image.module is not None:
            path = folder / f"module-{number}"
            path.write_text(image.module, encoding="utf-8")
            words += ["--add", f"{path}={boot.module_place(image)}"]
    return mkimage.make_image(mkimage.parse_arguments(words))


def options_for(arguments, batch, volume):
    wanted = max(image.vcpus for image in batch)
    cpus = arguments.cpus or (min(wanted, BOCHS_CPUS_MAX) if arguments.machine == "bochs" else max(2, min(os.cpu_count() or 1, 8)))
    return emulator.Options(image=str(volume), machine=arguments.machine, firmware="bios", cpu=arguments.cpu, cpus=cpus,
                            memory=arguments.memory or boot.memory_mib(batch))


def run_boot(arguments, pending, reporter):
    """One boot. What it did not come to stays in `pending`."""
    with tempfile.TemporaryDirectory(prefix="bulkhead-suite-") as name:
        options = options_for(arguments, pending, make_volume(pending, Path(name)))
        room = boot.Room(options.cpus, (options.memory << 20) - boot.PC_OWN_BYTES)
        with emulator.Emulator(options, slot=True) as pc:
            try:
                boot.Boot(Prompt(pc, time.monotonic), time.monotonic, room, reporter.ended).run(pending)
            finally:
                if arguments.log:
                    with open(arguments.log, "ab") as log:
                        log.write(pc.output)


def run_batch(arguments, batch, reporter):
    """Boots until all of the batch have ended. A PC that is lost before it runs anything is not tried again."""
    pending = list(batch)
    while pending:
        before = len(pending)
        try:
            run_boot(arguments, pending, reporter)
        except (PromptLost, emulator.EmulatorError) as lost:
            if len(pending) == before:
                for image in pending:
                    reporter.ended(image, verdict.End("lost", words=f"did not come up: {lost}"), None)
                return
            print(f"      the PC was lost ({lost}); the {len(pending)} images left run in a new boot", flush=True)


def limit(text):
    try:
        return images.parse_limit(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(f"\"{text}\" {problem}") from None


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./dev suite", description="Runs every image of a folder as a VM of Bulkhead.")
    parser.add_argument("folder", metavar="DIR", help="the images, and index.tsv if there is one (docs/suite.md)")
    parser.add_argument("--xml", metavar="FILE", help="write the results as JUnit XML")
    parser.add_argument("--only", action="append", default=[], metavar="PATTERN", help="only images of such names (shell pattern)")
    parser.add_argument("--time-limit", metavar="SECONDS", type=limit, help="of images without one in index.tsv (90)")
    parser.add_argument("--cpus", type=int, help="CPUs of the PC (as many as an image wants, at most 4)")
    parser.add_argument("--memory", type=int, metavar="MIB", help="memory of the PC")
    parser.add_argument("--cpu", metavar="MODEL", help="the emulator's CPU model (corei7_skylake_x)")
    parser.add_argument("--log", metavar="FILE", help="append all that the PCs' serial ports printed")
    parser.add_argument("--machine", choices=("bochs", "kvm"), default="bochs", help=argparse.SUPPRESS)
    parser.add_argument("--from", dest="base", default=".", help=argparse.SUPPRESS)
    return parser.parse_args()


def select(arguments):
    wanted, others = images.find(os.path.join(arguments.base, arguments.folder))
    if arguments.only:
        wanted = [image for image in wanted if any(fnmatch.fnmatch(image.name, pattern) for pattern in arguments.only)]
        others = []
        if not wanted:
            raise images.SuiteError(f"no image is called {' or '.join(arguments.only)}; correct --only")
    for image in wanted:
        if arguments.time_limit and image.limit == images.DEFAULT_LIMIT:
            image.limit = arguments.time_limit
    return wanted, others


def run_all(arguments, wanted, others):
    started = time.monotonic()
    reporter = Reporter(wanted)
    for name, reason in others:
        print(f"skip             {name}: {reason}", flush=True)
    for batch in batches(wanted):
        run_batch(arguments, batch, reporter)
    rows = reporter.in_order()
    results = [row[2] for row in rows]
    if arguments.xml:
        report.write_xml(os.path.join(arguments.base, arguments.xml), arguments.folder, rows, others, time.monotonic() - started)
    skipped = [verdict.Verdict(verdict.SKIPPED)] * len(others)
    print(report.closing_line(results + skipped), flush=True)
    return 0 if len(results) == len(wanted) and all(result.result == verdict.PASSED for result in results) else 1


def main():
    arguments = parse_arguments()
    cache.end_in_order()
    if arguments.log:
        arguments.log = os.path.join(arguments.base, arguments.log)
    try:
        return run_all(arguments, *select(arguments))
    except (images.SuiteError, mkimage.ImageError, OSError) as problem:
        print(f"./dev suite: {problem}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
