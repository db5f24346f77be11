"""apt with a state of its own: takes packages from a Debian mirror without root and without touching the system.

Owns the choice of the mirror, the private configuration, and what to do with mirrors that are out of date. Does not
know what the packages are for (tools/bochs/fetch.py, guests/linux/build.py)."""
import os
import re
import subprocess
import sys
from pathlib import Path

KEYRINGS = ["/usr/share/keyrings/debian-archive-keyring.gpg", "/usr/share/keyrings/debian-archive-keyring.pgp"]


class FetchError(Exception):
    """Says what could not be fetched, why, and what to do."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(words, **more):
    return subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False, **more)


def system_release():
    """What /etc/os-release says, as a dictionary."""
    try:
        text = Path("/etc/os-release").read_text(encoding="utf-8")
    except OSError:
        return {}
    return dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', text, re.MULTILINE))


def mirror():
    """The Debian mirror that this PC's apt uses. apt names it even where `apt-get update` never ran."""
    chosen = os.environ.get("BULKHEAD_MIRROR")
    if chosen:
        return chosen
    known = run(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian",
                 "Label: Debian"]).stdout.split()
    known = [uri for uri in known if not uri.startswith("cdrom:")]
    if known:
        return known[0]
    if system_release().get("ID") == "debian":
        planned = run(["apt-get", "--print-uris", "update"]).stdout
        for uri, suite in re.findall(r"^'(\S+?)/dists/([^/' ]+)/InRelease'", planned, re.MULTILINE):
            if not uri.startswith("cdrom:") and "security" not in uri and "security" not in suite:
                return uri
    raise FetchError("this PC's apt has no Debian mirror, and what is missing comes from Debian.\n"
                     "Name one: BULKHEAD_MIRROR=http://MIRROR/debian ./dev ...")


def proxy_settings():
    """apt's own settings for reaching a mirror (proxies and the like), as lines of a configuration file."""
    dump = run(["apt-config", "dump", "--format", '%F "%v";%n', "Acquire"]).stdout
    return [line for line in dump.splitlines() if re.match(r"Acquire::(http|https|ftp|tor|Force)", line)]


class PrivateApt:
    """apt with a state of its own below `folder`, for one suite."""

    def __init__(self, folder, uri, suite, check_dates):
        self.folder = folder
        keyring = next((path for path in KEYRINGS if os.path.exists(path)), None)
        options = f"arch=amd64 signed-by={keyring}" if keyring else "arch=amd64"
        for name in ("lists/partial", "archives/partial", "log", "state"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "state/status").write_text("")
        (folder / "sources.list").write_text(f"deb [{options}] {uri} {suite} main\n")
        settings = {
            "Dir::State": folder / "state", "Dir::State::status": folder / "state/status",
            "Dir::State::lists": folder / "lists", "Dir::Cache": folder / "state", "Dir::Cache::archives": folder / "archives",
            "Dir::Log": folder / "log", "Dir::Etc::sourcelist": folder / "sources.list",
            "Dir::Etc::sourceparts": "/dev/null", "Dir::Etc::main": "/dev/null", "Dir::Etc::parts": "/dev/null",
            "Dir::Etc::preferences": "/dev/null", "Dir::Etc::preferencesparts": "/dev/null",
            "APT::Architecture": "amd64", "APT::Install-Recommends": "false", "APT::Get::Assume-Yes": "true",
            "APT::Sandbox::User": "root" if os.geteuid() == 0 else "", "APT::Update::Error-Mode": "any",
            "APT::Get::List-Cleanup": "false", "Acquire::Languages": "none", "Acquire::Retries": "3",
            "Acquire::Check-Valid-Until": "true" if check_dates else "false",
        }
        lines = [f'{name} "{value}";' for name, value in settings.items()]
        lines += ['APT::Architectures { "amd64"; };'] + proxy_settings()
        (folder / "apt.conf").write_text("\n".join(lines) + "\n")
        self.environment = {**os.environ, "APT_CONFIG": str(folder / "apt.conf"), "LC_ALL": "C",
                            "DEBIAN_FRONTEND": "noninteractive"}

    def get(self, *words):
        return run(["apt-get", "-q", *words], env=self.environment)

    def plan(self, packages):
        """How many files it would fetch to install these packages on an empty system, and their bytes."""
        answer = self.get("--print-uris", "--download-only", "install", *packages)
        sizes = [int(size) for size in re.findall(r"^'\S+' \S+ (\d+)", answer.stdout, re.MULTILINE)]
        if answer.returncode != 0 or not sizes:
            raise FetchError(f"apt cannot install {packages[0]}:\n{answer.stdout.strip()}")
        return len(sizes), sum(sizes)

    def download_with_dependencies(self, packages):
        """Fetches packages and all they depend on; returns the folder."""
        answer = self.get("--download-only", "install", *packages)
        if answer.returncode != 0:
            raise FetchError(f"apt could not fetch {packages[0]}:\n{answer.stdout.strip()[-2000:]}")
        return self.folder / "archives"

    def download(self, package):
        """Fetches one package alone; returns the file."""
        where = self.folder / "archives"
        answer = run(["apt-get", "-q", "download", package], env=self.environment, cwd=where)
        found = sorted(where.glob(f"{package}_*.deb"))
        if answer.returncode != 0 or not found:
            raise FetchError(f"apt could not fetch {package}:\n{answer.stdout.strip()[-2000:]}")
        return found[-1]


def updated_apt(folder, uri, suite):
    """A private apt whose package lists are there. A mirror whose lists are out of date is taken, and named."""
    apt = PrivateApt(folder, uri, suite, check_dates=True)
    answer = apt.get("update")
    if answer.returncode == 0:
        return apt
    if "expired" not in answer.stdout:
        raise FetchError(f"{uri} ({suite}) cannot be read:\n{answer.stdout.strip()[-1500:]}\n"
                         "Is this PC online? Another mirror: BULKHEAD_MIRROR=http://MIRROR/debian ./dev ...")
    say(f"  {uri} ({suite}) was last updated long ago; its lists are signed and taken all the same")
    apt = PrivateApt(folder, uri, suite, check_dates=False)
    answer = apt.get("update")
    if answer.returncode != 0:
        raise FetchError(f"{uri} ({suite}) cannot be read:\n{answer.stdout.strip()[-1500:]}")
    return apt
