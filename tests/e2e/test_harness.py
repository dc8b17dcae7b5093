"""The pairwise count is what the link tests stand on: it is checked against counting all pairs."""

import itertools
import random
import sys
import unittest

import harness


class Pairwise(unittest.TestCase):
    def test_agrees_with_counting_every_pair(self):
        dice = random.Random(7)
        for _ in range(300):
            rows = [(dice.choice([None, "a", "b", "c"]), dice.choice([None, 1, 2, 3]))
                    for _ in range(dice.randrange(12))]
            said = true = both = 0
            for (a, b), (c, d) in itertools.combinations(rows, 2):
                same_said = a is not None and a == c
                same_true = b is not None and b == d
                said += same_said
                true += same_true
                both += same_said and same_true
            self.assertEqual(harness.pairwise(rows), (said, true, both), rows)


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
