"""The same delivery gives the same bytes, however many threads read it, however little memory there
is and in whatever order the manifest names the files."""

import random
import sys
import unittest

import harness


class Determinism(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.workspace = harness.Workspace("same")
        cls.addClassCleanup(cls.workspace.close)
        cls.delivery = harness.demo(cls.workspace.path("delivery"), 20000, "--errors", "realistic",
                                    "--seed", 21)
        cls.expected = cls.digest("base", "--threads", 2)
        cls.links = cls.workspace.path("base.csv").read_bytes()

    @classmethod
    def digest(cls, name, *options, delivery=None):
        data = cls.workspace.data(name)
        harness.compare(delivery or cls.delivery, data, "--no-register",
                        "--links", cls.workspace.path(name + ".csv"), *options)
        return harness.last_manifest(data)["result_digest"]

    def test_any_number_of_threads(self):
        for threads in (1, 3, 4):
            with self.subTest(threads=threads):
                name = f"threads-{threads}"
                self.assertEqual(self.digest(name, "--threads", threads), self.expected)
                self.assertEqual(self.workspace.path(name + ".csv").read_bytes(), self.links)

    def test_any_memory(self):
        for memory in ("1M", "64M"):
            with self.subTest(memory=memory):
                name = f"memory-{memory}"
                self.assertEqual(self.digest(name, "--memory", memory), self.expected)
                self.assertEqual(self.workspace.path(name + ".csv").read_bytes(), self.links)

    def test_any_order_of_files(self):
        shuffled = harness.copy_delivery(self.delivery, self.workspace.path("shuffled"))
        head, blocks = harness.manifest_blocks(shuffled)
        random.Random(3).shuffle(blocks)
        harness.write_manifest(shuffled, head, blocks)
        self.assertEqual(self.digest("shuffled-data", delivery=shuffled), self.expected)
        # The links come in the order of the manifest; line for line they are the same.
        self.assertEqual(harness.read_links(self.workspace.path("shuffled-data.csv")),
                         harness.read_links(self.workspace.path("base.csv")))

    def test_another_delivery_has_another_digest(self):
        other = harness.demo(self.workspace.path("other"), 20000, "--errors", "realistic", "--seed", 22)
        self.assertNotEqual(self.digest("other-data", delivery=other), self.expected)

    def test_registers_are_alike_too(self):
        seen = []
        for name, options in (("loaded-1", ("--threads", 1, "--memory", "64M")),
                              ("loaded-2", ("--threads", 4))):
            data = self.workspace.data(name)
            harness.compare(self.delivery, data, *options)
            digest = harness.last_manifest(data)["result_digest"]
            seen.append((digest, harness.both_forms(data), harness.ok(
                "list", "discrepancies", "--data", data, "--format", "csv").out))
        self.assertEqual(*seen)


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
