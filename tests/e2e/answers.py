"""Compares what the product says of a delivery with the delivery's truth/ folder.

Used on the independent samples and on our own demo data. The layout of truth/ is described in
docs/formats/truth.md; the independent samples have the same one.
"""

from __future__ import annotations

import collections
import json
import pathlib

import harness

SECTION = {"2-1": "form_2_1", "2-2": "form_2_2"}
# Rows that the score decides, or that belong to nobody until reviewed: either outcome may be right.
NOT_SURE = ("probable", "conflict")
PRECISION, RECALL = 0.9999, 0.998


def expected(delivery) -> dict:
    return json.loads((pathlib.Path(delivery) / "truth" / "expected.json").read_text("utf-8"))


def check_exact_forms(test, data, answers):
    """Every cell of both forms: the province with everybody, cities and counties by hukou."""
    for name in harness.FORMS:
        province = harness.form(data, name, population="all")
        test.assertEqual(province["division"], answers["delivery"]["province"])
        test.assertEqual(province["cutoff"], answers["delivery"]["cutoff"])
        test.assertEqual(province["columns"], answers[SECTION[name]], f"form {name}, province")
        for level in ("hukou_people_by_city", "hukou_people_by_county"):
            for division, figures in answers[level].items():
                ours = harness.form(data, name, division=division, population="hukou")["columns"]
                test.assertEqual(ours, figures[SECTION[name]], f"form {name}, {division}")


def check_tolerated_forms(test, data, answers, tolerance="good"):
    """Every cell of both forms of the province lies in the range that the truth allows."""
    outside = []
    for name in harness.FORMS:
        ours = harness.form(data, name, population="all")["columns"]
        allowed = answers["tolerance"][tolerance][SECTION[name]]
        test.assertEqual(set(ours), set(allowed), f"columns of form {name}")
        for column, limits in allowed.items():
            value = ours[column]
            if limits is None:
                inside = value is None
            else:
                inside = value is not None and limits[0] <= value <= limits[1]
            if not inside:
                outside.append(f"form {name} column {column}: {value}, allowed {limits}, "
                               f"true {answers[SECTION[name]][column]}")
    test.assertEqual(outside, [])


def check_links(test, links, truth, precision=PRECISION, recall=RECALL, all_rows=False):
    """Pairwise precision and recall, over the rows that the number decides or over all."""
    rows = []
    for row in truth:
        outcomes = row["expected_outcome"].split("|")
        if "rejected" in outcomes or (not all_rows and any(o in NOT_SURE for o in outcomes)):
            continue
        person, _ = links.get((row["file"], int(row["line"])), ("", ""))
        rows.append((person or None, row["person"] or None))
    said, true, both = harness.pairwise(rows)
    test.assertGreater(true, 0)
    test.assertGreaterEqual(both / said, precision, f"precision: {said - both} wrong of {said} pairs")
    test.assertGreaterEqual(both / true, recall, f"recall: {true - both} missed of {true} pairs")


def check_outcomes(test, links, truth, share):
    """At least `share` of the rows have an outcome that the truth calls right; every row of the
    truth is either linked or was rejected, and no other row is in the file."""
    wrong = collections.Counter()
    judged = 0
    for row in truth:
        right = row["expected_outcome"].split("|")
        link = links.get((row["file"], int(row["line"])))
        if "rejected" in right:
            test.assertIsNone(link, f"a rejected row has no link: {row}")
            continue
        test.assertIsNotNone(link, f"no link for {row}")
        if "any" in right or any(o in NOT_SURE for o in right):
            continue
        judged += 1
        if link[1] not in right:
            wrong[row["corruption"], row["expected_outcome"], link[1]] += 1
    known = {(row["file"], int(row["line"])) for row in truth}
    test.assertEqual([key for key in links if key not in known][:5], [], "links for rows unknown")
    bad = sum(wrong.values())
    test.assertGreaterEqual(1 - bad / judged, share, f"{bad} of {judged}: {wrong.most_common(12)}")


def check_control_totals(test, data, answers):
    """Nothing is lost: what came in is linked, unlinked, rejected or reference, file by file."""
    extracts = {e["file"]: e for e in harness.last_manifest(data)["extracts"]}
    test.assertEqual(set(extracts), set(answers["comparison"]["extracts"]))
    for name, truth in answers["comparison"]["extracts"].items():
        e = extracts[name]
        test.assertEqual(e["rows_in"], truth["rows"], name)
        test.assertEqual(e["rejected"], sum(truth["rejected"].values()), name)
        test.assertEqual(e["rows_in"],
                         e["linked"] + e["unlinked"] + e["rejected"] + e.get("reference", 0), name)
        if truth["kind"] in ("employer", "resident_population"):
            test.assertEqual(e["linked"] + e["unlinked"], 0, name)
        else:
            test.assertEqual(e.get("reference", 0), 0, name)
        if truth["kind"] == "household_register":
            test.assertEqual(e["unlinked"], 0, "the register's own rows count as linked")


def check_links_agree_with_totals(test, data, links):
    """The links file has one line per accepted row about a person, in the manifest's numbers."""
    lines = collections.Counter(file for file, _ in links)
    for e in harness.last_manifest(data)["extracts"]:
        test.assertEqual(lines[e["file"]], e["linked"] + e["unlinked"], e["file"])
