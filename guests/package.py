"""Files of one Debian package in the user's cache, for guests that tests take from Debian as they are."""
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))
import cache
from private_apt import FetchError, mirror, run, system_release, updated_apt

SUITES = ("bookworm", "trixie")


def fetch_into(result, work, package, files):
    suite = system_release().get("VERSION_CODENAME")
    apt = updated_apt(work / "apt", mirror(), suite if suite in SUITES else SUITES[-1])
    answer = run(["dpkg-deb", "-x", str(apt.download(package)), str(work / "files")])
    if answer.returncode != 0:
        raise FetchError(f"{package} cannot be unpacked:\n{answer.stdout.strip()}")
    for path in files:
        source = work / "files" / path
        if source.is_dir():
            shutil.copytree(source, result / source.name)
        else:
            shutil.copyfile(source, result / source.name)


def folder(name, package, files):
    """The folder of the cache, called `name`, with files or folders of the package; made if need be."""
    base = cache.folder(name)
    with cache.locked(base / ".lock"):
        result = base / "current"
        if not result.exists():
            with tempfile.TemporaryDirectory(dir=base) as work:
                made = Path(work, "made")
                made.mkdir()
                fetch_into(made, Path(work), package, files)
                made.rename(result)
        return result
