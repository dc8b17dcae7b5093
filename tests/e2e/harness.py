"""What the end-to-end tests share: running `canbao`, data folders that PostgreSQL may enter, reading
what the command leaves behind, and the XML report that the gate sums up.

The tests know the command and its documented files only (README.md, docs/formats/); nothing here
looks inside the program. Python 3 standard library, no packages.
"""

from __future__ import annotations

import contextlib
import csv
import gzip
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
CANBAO = pathlib.Path(os.environ.get("CANBAO", ROOT / "build/release/bin/canbao"))
FORMS = ("2-1", "2-2")

# Exit codes of the command.
DONE, USAGE, REFUSED, ENVIRONMENT, INTERNAL = 0, 2, 3, 4, 5


def samples_folder() -> pathlib.Path | None:
    """Deliveries with known answers, made by an independent program; they lie beside the checkout."""
    for folder in (os.environ.get("CANBAO_SAMPLES"), ROOT.parent / "shared" / "samples"):
        if folder and (pathlib.Path(folder) / "small-clean" / "manifest.toml").exists():
            return pathlib.Path(folder)
    return None


class Finished:
    """A command that ended: exit code and output."""

    def __init__(self, words, code, out, err, seconds):
        self.words, self.code, self.out, self.err, self.seconds = words, code, out, err, seconds

    def __str__(self):
        words = " ".join(str(w) for w in self.words)
        return f"{words}\nexit code {self.code}\n{self.out[-2000:]}\n{self.err[-4000:]}"


def run(*words, env=None, timeout=600, lang="en") -> Finished:
    started = time.monotonic()
    done = subprocess.run([str(CANBAO), *map(str, words)], capture_output=True, timeout=timeout,
                          env=environment(env, lang), stdin=subprocess.DEVNULL, check=False)
    return Finished(("canbao",) + words, done.returncode, done.stdout.decode("utf-8", "replace"),
                    done.stderr.decode("utf-8", "replace"), time.monotonic() - started)


def environment(more=None, lang="en") -> dict[str, str]:
    env = {k: v for k, v in os.environ.items() if k not in ("LC_ALL", "LANGUAGE", "CANBAO_FAULT")}
    env["LANG"] = {"en": "en_US.UTF-8", "zh": "zh_CN.UTF-8"}[lang]
    env.update(more or {})
    return env


def ok(*words, **options) -> Finished:
    """Runs the command and insists that it succeeds."""
    done = run(*words, **options)
    if done.code != DONE:
        raise AssertionError(f"expected success: {done}")
    return done


class Workspace:
    """Folders of one test. PostgreSQL runs as another user when the tests run as root, so the
    folders may be entered by anybody. Databases left running are stopped at the end."""

    def __init__(self, name: str):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix=f"canbao-{name}-"))
        self.root.chmod(0o755)
        self.data_folders: list[pathlib.Path] = []

    def data(self, name: str = "data") -> pathlib.Path:
        folder = self.root / name
        if folder not in self.data_folders:
            self.data_folders.append(folder)
        return folder

    def path(self, name: str) -> pathlib.Path:
        return self.root / name

    def close(self):
        for folder in self.data_folders:
            if folder.exists():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    run("db", "stop", "--data", folder, timeout=60)
        shutil.rmtree(self.root, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def compare(delivery, data, *more, **options) -> Finished:
    return ok("compare", delivery, "--data", data, *more, **options)


def form(data, name, division=None, population=None, cutoff=None) -> dict:
    words = ["forms", "--data", data, "--form", name, "--format", "json"]
    if division:
        words += ["--division", division]
    if population:
        words += ["--population", population]
    if cutoff:
        words += ["--cutoff", cutoff]
    return json.loads(ok(*words).out)


def both_forms(data, **which) -> dict:
    return {name: form(data, name, **which)["columns"] for name in FORMS}


def manifests(data) -> list[dict]:
    """The finished runs of a data folder, oldest first."""
    found = sorted(pathlib.Path(data).glob("runs/*/manifest.json"), key=lambda p: p.stat().st_mtime)
    return [json.loads(p.read_text()) for p in found]


def last_manifest(data) -> dict:
    found = manifests(data)
    if not found:
        raise AssertionError(f"no finished run under {data}")
    return found[-1]


def read_links(path) -> dict[tuple[str, int], tuple[str, str]]:
    """(file, line) → (person or "", outcome) of a file that --links wrote."""
    links = {}
    with open(path, newline="", encoding="utf-8") as f:
        rows = csv.DictReader(f)
        if rows.fieldnames != ["file", "line", "person", "outcome"]:
            raise AssertionError(f"header of {path}: {rows.fieldnames}")
        for row in rows:
            key = (row["file"], int(row["line"]))
            if key in links:
                raise AssertionError(f"{path} names {key} twice")
            links[key] = (row["person"], row["outcome"])
    return links


def read_truth(path) -> list[dict]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f))


def pairwise(rows) -> tuple[int, int, int]:
    """Pairs of rows (said to be one person, truly one person, both), from (said, true) per row.
    None stands for a row that belongs to nobody: a group of its own. Counted by the contingency
    table, since there are too many pairs to look at."""
    said: dict = {}
    true: dict = {}
    both: dict = {}
    for a, b in rows:
        if a is not None:
            said[a] = said.get(a, 0) + 1
        if b is not None:
            true[b] = true.get(b, 0) + 1
        if a is not None and b is not None:
            both[a, b] = both.get((a, b), 0) + 1
    pairs = lambda groups: sum(n * (n - 1) // 2 for n in groups.values())
    return pairs(said), pairs(true), pairs(both)


def demo(out, persons, *more) -> pathlib.Path:
    ok("demo-data", "--persons", persons, "--out", out, *more)
    return pathlib.Path(out)


def copy_delivery(source, target) -> pathlib.Path:
    """A delivery without its truth: the product must not need it."""
    return pathlib.Path(shutil.copytree(source, target, ignore=shutil.ignore_patterns("truth")))


def manifest_blocks(delivery) -> tuple[str, list[str]]:
    """The manifest as its head and one text per [[extract]]."""
    head, *blocks = (pathlib.Path(delivery) / "manifest.toml").read_text("utf-8").split("[[extract]]")
    return head, ["[[extract]]" + b.rstrip() + "\n\n" for b in blocks]


def write_manifest(delivery, head: str, blocks: list[str]):
    (pathlib.Path(delivery) / "manifest.toml").write_text(head + "".join(blocks), "utf-8")


def start(*words, env=None) -> subprocess.Popen:
    """The command in the background, in a process group of its own."""
    return subprocess.Popen([str(CANBAO), *map(str, words)], stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                            env=environment(env), start_new_session=True)


def kill(process: subprocess.Popen):
    """kill -9 of that process alone: its children have to cope by themselves."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGKILL)
    process.wait()


def main(module):
    """Runs the tests of a module; with CANBAO_TEST_REPORT set, leaves an XML report there."""
    suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    runner = unittest.TextTestRunner(verbosity=2, resultclass=_Recorder)
    result = runner.run(suite)
    folder = os.environ.get("CANBAO_TEST_REPORT")
    if folder:
        name = pathlib.Path(module.__file__).stem.replace("test_", "e2e_")
        _write_report(pathlib.Path(folder) / f"{name}.xml", result)
    sys.exit(0 if result.wasSuccessful() else 1)


class _Recorder(unittest.TextTestResult):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.outcomes: dict[str, str] = {}

    def addSuccess(self, test):
        super().addSuccess(test)
        self.outcomes[test.id()] = "completed"

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.outcomes[test.id()] = "skipped"


def _write_report(path, result):
    bad = len(result.failures) + len(result.errors)
    total = len(result.outcomes) + bad
    root = ElementTree.Element("testsuites", tests=str(total), failures=str(len(result.failures)),
                               errors=str(len(result.errors)))
    suite = ElementTree.SubElement(root, "testsuite", name=path.stem)
    for name, outcome in result.outcomes.items():
        ElementTree.SubElement(suite, "testcase", name=name, result=outcome)
    for name, _ in result.failures + result.errors:
        ElementTree.SubElement(suite, "testcase", name=str(name), result="failed")
    path.parent.mkdir(parents=True, exist_ok=True)
    ElementTree.ElementTree(root).write(path, encoding="utf-8")
