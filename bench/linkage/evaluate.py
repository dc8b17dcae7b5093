"""Pairwise and B-cubed precision, recall and F1 of clusters against the truth, by contingency table: rows
are counted by (said, true), no pair is ever enumerated.

    evaluate.py --truth truth.csv CLUSTERS.csv…

Both have a header and two columns, the row's id and its group. A row that the clusters do not have is a
group of its own.
"""
import argparse
import collections
import csv
import json


def read(path):
    with open(path, encoding="utf-8", newline="") as f:
        rows = csv.reader(f)
        next(rows)
        return {row[0]: row[1] for row in rows}


def pairs(sizes):
    return sum(n * (n - 1) // 2 for n in sizes)


def judge(truth, said):
    cells = collections.Counter()
    for i, (row, person) in enumerate(truth.items()):
        cells[said.get(row, f"alone {i}"), person] += 1
    groups, people = collections.Counter(), collections.Counter()
    for (group, person), n in cells.items():
        groups[group] += n
        people[person] += n
    said_pairs, true_pairs = pairs(groups.values()), pairs(people.values())
    right = pairs(cells.values())
    rows = len(truth)
    precision = right / said_pairs if said_pairs else 1.0
    recall = right / true_pairs if true_pairs else 1.0
    b_precision = sum(n * n / groups[g] for (g, _), n in cells.items()) / rows
    b_recall = sum(n * n / people[p] for (_, p), n in cells.items()) / rows
    mixed = collections.Counter(g for g, _ in cells)
    return {"rows": rows, "people": len(people), "groups": len(groups), "true_pairs": true_pairs,
            "said_pairs": said_pairs, "right_pairs": right, "precision": precision, "recall": recall,
            "f1": f1(precision, recall), "bcubed_precision": b_precision,
            "bcubed_recall": b_recall, "bcubed_f1": f1(b_precision, b_recall),
            "groups_of_several_people": sum(n > 1 for n in mixed.values())}


def f1(precision, recall):
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("clusters", nargs="+")
    parser.add_argument("--truth", required=True)
    args = parser.parse_args()
    truth = read(args.truth)
    for path in args.clusters:
        print(path, json.dumps(judge(truth, read(path))))


if __name__ == "__main__":
    main()
