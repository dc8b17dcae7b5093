"""What may go wrong under a run: the process or its PostgreSQL is killed, the disk fills up, a file
cannot be read to its end. Afterwards the same command, given again, ends with the same digest and the
same forms, or the error was clear and nothing is half done.

Moments are chosen in two ways: by the clock, and by counting the calls that change files
(tests/faults/io_shim.cc), which reaches the narrow places between a write and its rename.

CANBAO_KILLS (default 8) is the number of kills by the clock; the nightly run takes 200.
"""

import contextlib
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import time
import unittest

import harness

KILLS = int(os.environ.get("CANBAO_KILLS", "8"))
SHIM = os.environ.get("CANBAO_IO_SHIM", "")
PERSONS = 6000
# So little memory that what is read goes to disk, and a checkpoint is written behind it.
SPILLING = ("--no-register", "--memory", "1M")


def fault(plan) -> dict[str, str]:
    return {"LD_PRELOAD": SHIM, "CANBAO_FAULT": plan}


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dice = random.Random(int(os.environ.get("CANBAO_SEED", "51")))
        cls.workspace = harness.Workspace("faults")
        cls.addClassCleanup(cls.workspace.close)
        cls.delivery = harness.demo(cls.workspace.path("delivery"), PERSONS, "--errors", "realistic",
                                    "--seed", 51)
        undisturbed = cls.workspace.data("undisturbed")
        cls.seconds = harness.compare(cls.delivery, undisturbed).seconds
        cls.digest = harness.last_manifest(undisturbed)["result_digest"]
        # Without the register no outcome files are made, so the digest speaks of less.
        compared = cls.workspace.data("compared")
        harness.compare(cls.delivery, compared, "--no-register")
        cls.compared = harness.last_manifest(compared)["result_digest"]
        cls.forms = harness.both_forms(undisturbed)

    def words(self, data, *more):
        return ("compare", self.delivery, "--data", data, *more)

    def expect_same_result(self, data, what, register=True):
        """The same command again, undisturbed, ends where the undisturbed run ended."""
        harness.compare(self.delivery, data, *(() if register else ("--no-register",)))
        self.assertEqual(harness.last_manifest(data)["result_digest"],
                         self.digest if register else self.compared, what)
        if register:
            self.assertEqual(harness.both_forms(data), self.forms, what)

    def wait_and_kill(self, data, victim):
        """Starts a run and kills it (or its PostgreSQL) at a random moment. False: it was over."""
        process = harness.start(*self.words(data))
        end = time.monotonic() + self.dice.uniform(0.02, self.seconds * 1.1)
        while time.monotonic() < end and process.poll() is None:
            time.sleep(0.005)
        if process.poll() is not None:
            return False
        if victim == "process":
            harness.kill(process)
            return True
        hit = kill_postmaster(data)
        # The run ends by itself: with an error, or because it no longer needed the database.
        try:
            process.wait(120)
        except subprocess.TimeoutExpired:
            harness.kill(process)
            self.fail("the run hangs after its PostgreSQL was killed")
        if hit:
            self.assertIn(process.returncode, (harness.DONE, harness.ENVIRONMENT))
        return hit

    def test_killed_at_random_moments(self):
        hits = 0
        data = None
        for n in range(KILLS):
            # Half of the time the wreck of the last round is killed once more before it is repaired.
            if data is None:
                data = self.workspace.data(f"killed-{n}")
            victim = "postgres" if n % 3 == 2 else "process"
            hits += self.wait_and_kill(data, victim)
            if self.dice.random() < 0.5:
                self.expect_same_result(data, f"kill {n} of {victim}, seed of the dice: CANBAO_SEED")
                harness.run("db", "stop", "--data", data)
                data = None
        if data is not None:
            self.expect_same_result(data, "the last kills")
        self.assertGreater(hits, KILLS // 4, "too few kills hit a running process")

    def counted_calls(self):
        """The calls of a run with one thread. Threads share the work as they come, and each spills what
        it got: with several of them a run makes more calls, how many is chance. With one thread the n-th
        call is nearly always the same call in every run (see faulted())."""
        counts = []
        for n in range(3):
            data = self.workspace.data(f"counted-{self.id()}-{n}")  # its own: a second run makes others
            count = self.workspace.path(f"count-{self.id()}-{n}")
            harness.ok(*self.words(data, *SPILLING, "--threads", 1), env=fault(f"count:{count}"))
            counts.append(int(count.read_text()))
        # Compressed and plain files take turns as they come, so that buffers fill up differently: some
        # runs spill a piece or two more.
        calls = min(counts)
        self.assertGreater(calls, 20)
        return calls

    def moments(self, exact, by_chance):
        """(number of the call, further words): the exact ones with one thread, the others with as many
        as there are cores."""
        return [(at, (*SPILLING, "--threads", 1)) for at in sorted(set(exact))] + \
               [(at, SPILLING) for at in sorted(set(by_chance))]

    def faulted(self, name, more, plan):
        """A run with a fault, in a data folder of its own. On a busy machine a run now and then makes a
        call or two fewer than the counted one and ends without having met the fault: only then again."""
        for attempt in range(5):
            data = self.workspace.data(f"{name}-{attempt}")
            met = self.workspace.path(f"met-{name}-{attempt}")
            done = harness.run(*self.words(data, *more),
                               env=fault(plan) | {"CANBAO_FAULT_MET": str(met)})
            if met.exists():
                break
        return data, done

    @unittest.skipUnless(SHIM, "CANBAO_IO_SHIM is not set")
    def test_killed_between_two_writes(self):
        calls = self.counted_calls()
        # The last calls are renames and manifests: the places that matter most.
        for n, (at, more) in enumerate(self.moments(
                (1, 2, calls - 3, calls - 2, calls - 1, calls),
                (self.dice.randint(1, calls) for _ in range(max(4, KILLS // 4))))):
            data, done = self.faulted(f"write-{n}", more, f"kill:{at}")
            self.assertEqual(done.code, -signal.SIGKILL, f"call {at} of {calls}: {done}")
            self.expect_same_result(data, f"killed at call {at} of {calls}", register=False)

    @unittest.skipUnless(SHIM, "CANBAO_IO_SHIM is not set")
    def test_disk_full_at_any_write(self):
        calls = self.counted_calls()
        for n, (at, more) in enumerate(self.moments(
                (1, calls - 1, calls), (calls // 3, calls * 2 // 3, self.dice.randint(1, calls)))):
            data, done = self.faulted(f"full-{n}", more, f"write:{at}:ENOSPC")
            self.assertEqual(done.code, harness.ENVIRONMENT, f"call {at} of {calls}: {done}")
            self.assertRegex(done.err, r"CB-[A-Z]+-\d{4}")
            self.assertEqual(harness.manifests(data), [], "no run may look finished")
            self.expect_same_result(data, f"disk full at call {at} of {calls}", register=False)

    def test_disk_really_full(self):
        """A small file system that PostgreSQL and the run share."""
        data = self.workspace.data("small")
        data.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=755", "tmpfs", str(data)],
                                 capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("may not mount a small file system here")
        try:
            done = harness.run(*self.words(data))
            self.assertEqual(done.code, harness.ENVIRONMENT, done)
            self.assertRegex(done.err, r"CB-[A-Z]+-\d{4}")
            self.assertEqual(harness.run("forms", "--data", data, "--form", "2-1", "--format", "json").out, "")
            subprocess.run(["mount", "-o", "remount,size=2g", str(data)], check=True, capture_output=True)
            self.expect_same_result(data, "after the disk was enlarged")
        finally:
            harness.run("db", "stop", "--data", data)
            wait_for_quiet(data)
            subprocess.run(["umount", "-l", str(data)], check=False, capture_output=True)

    @unittest.skipUnless(SHIM, "CANBAO_IO_SHIM is not set")
    def test_read_error_in_the_middle_of_a_file(self):
        files = sorted((p for p in self.delivery.iterdir()
                        if re.search(r"\.csv(\.gz|\.zst)?$|\.xlsx$", p.name)), key=lambda p: -p.stat().st_size)
        kinds = {}
        for p in files:  # the largest of each format
            kinds.setdefault("".join(p.suffixes), p)
        for suffix, victim in kinds.items():
            with self.subTest(file=victim.name):
                data = self.workspace.data("read" + suffix)
                middle = victim.stat().st_size // 2
                done = harness.run(*self.words(data), env=fault(f"read:/{victim.name}:{middle}"))
                self.assertIn(done.code, (harness.REFUSED, harness.ENVIRONMENT), done)
                self.assertIn(victim.name, done.err)
                self.assertRegex(done.err, r"CB-[A-Z]+-\d{4}")
                self.assertEqual(harness.manifests(data), [])
                self.expect_same_result(data, victim.name)

    def test_ctrl_c_leaves_a_resumable_state(self):
        for n in range(2):
            data = self.workspace.data(f"interrupted-{n}")
            process = harness.start(*self.words(data))
            time.sleep(self.dice.uniform(0.1, max(0.2, self.seconds * 0.8)))
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGINT)
            self.assertIn(process.wait(60), (harness.DONE, 130))
            self.expect_same_result(data, "after Ctrl-C")


def postmaster_pids(data) -> list[int]:
    """The PostgreSQL that owns a folder below `data`, by its pid file."""
    pids = []
    for path in pathlib.Path(os.path.realpath(data)).rglob("postmaster.pid"):
        with contextlib.suppress(OSError, ValueError):
            pids.append(int(path.read_text().split("\n")[0]))
    return pids


def kill_postmaster(data) -> bool:
    hit = False
    for pid in postmaster_pids(data):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            hit = True
    return hit


def wait_for_quiet(data, seconds=10):
    end = time.monotonic() + seconds
    while postmaster_pids(data) and time.monotonic() < end:
        time.sleep(0.1)


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
