"""Cases over the served API: found by a load, worked on by both sides, counted at the next cut-off."""

import re
import sys
import unittest

import harness
from test_access import Client, Served, user_add

FIRST, SECOND = "2017-09-30", "2017-12-31"


class Cases(unittest.TestCase):
    """In the order of a case's life: each test begins where the one before ended."""

    @classmethod
    def setUpClass(cls):
        cls.workspace = harness.Workspace("cases")
        cls.addClassCleanup(cls.workspace.close)
        cls.data = cls.workspace.data()
        cls.made = harness.demo(cls.workspace.path("made"), 5000, "--errors", "realistic", "--seed", 3)
        harness.compare(cls.made, cls.data)
        cls.first = harness.form(cls.data, "2-1")
        cls.passwords = {}
        for account, role, division in (("xiaowang", "operator", "330000"), ("laoli", "reviewer", "330000"),
                                        ("wenzhou", "operator", "330300")):
            cls.passwords[account] = user_add(cls.data, account, role, division)["password"]
        cls.served = Served(cls.data, cls.workspace.path("serve.log"))
        cls.addClassCleanup(lambda: cls.served.stop())
        cls.clerk, cls.reviewer = cls.signed_in("xiaowang"), cls.signed_in("laoli")

    @classmethod
    def signed_in(cls, account):
        client = Client(cls.served.address)
        assert client.sign_in(account, cls.passwords[account]).status == 201, account
        fresh = "a longer Password 7 of " + account
        changed = client.call("PUT", "/session/password", {"old": cls.passwords[account], "new": fresh})
        if changed.status == 204:
            cls.passwords[account] = fresh
            client = Client(cls.served.address)
            assert client.sign_in(account, fresh).status == 201
        return client

    def get(self, client, path):
        answer = client.call("GET", path)
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json()

    def listed(self, **query):
        words = "&".join(f"{k}={v}" for k, v in query.items())
        return self.get(self.clerk, "/cases?" + words)

    def step(self, client, case, action, expect=200, **more):
        read = client.call("GET", f"/cases/{case}")
        self.assertEqual(read.status, 200, read.body)
        done = client.call("POST", f"/cases/{case}/steps", {"action": action, **more},
                           {"If-Match": read.headers["ETag"]})
        self.assertEqual(done.status, expect, done.body)
        return done.json()

    def through(self, case):
        """From found to consolidated, with whatever second pair of eyes it needs."""
        self.step(self.clerk, case, "notify")
        self.step(self.clerk, case, "agree", note="另一方来函同意")
        self.step(self.clerk, case, "handle")
        detail = self.step(self.clerk, case, "consolidate")
        if detail["pending"]:
            self.step(self.clerk, case, "approve", expect=403)
            detail = self.step(self.reviewer, case, "approve")
        self.assertEqual(detail["state"], "consolidated")

    def test_1_every_finding_is_a_case(self):
        summary = self.get(self.clerk, "/cases/summary")["items"]
        self.assertEqual({i["state"] for i in summary}, {"found"})
        duplicates = {i["number"]: i["count"] for i in summary if i["kind"] == "duplicate"}
        columns = self.first["columns"]
        # Persons of a column = cases of its kind: a person has one case of each.
        for bit, column in ((1, 8), (2, 10), (4, 12), (8, 14), (16, 17), (32, 19)):
            self.assertEqual(duplicates.get(bit, 0), columns[str(column)])
        page = self.listed(kind="duplicate", limit=10)
        self.assertEqual(page["count"], sum(duplicates.values()))
        seen, after = set(), None
        while True:
            page = self.listed(kind="duplicate", limit=100, **({"after": after} if after else {}))
            seen |= {i["id"] for i in page["items"]}
            after = page["next"]
            if after is None:
                break
        self.assertEqual(len(seen), page["count"])
        for item in page["items"]:
            self.assertNotRegex(item["number_masked"] or "", r"^\d{17}[\dX]$")

    @staticmethod
    def value(form, column):
        return form["columns"][str(column)]

    def test_2_what_the_clerk_does(self):
        pension = self.listed(kind="duplicate", number=1)["items"]
        medical = self.listed(kind="duplicate", number=16)["items"]
        benefits = [i for i in self.listed(kind="duplicate", number=8)["items"]
                    + self.listed(kind="duplicate", number=4)["items"]]
        self.assertTrue(pension and len(medical) > 2 and benefits)
        self.through(pension[0]["id"])
        self.through(benefits[0]["id"])
        type(self).benefit_column = 14 if benefits[0]["number"] == 8 else 12
        self.assertTrue(benefits[0]["pays_benefits"])
        # Dismissed with a reason; without one it is refused.
        self.step(self.clerk, medical[0]["id"], "dismiss", expect=422)
        detail = self.step(self.clerk, medical[0]["id"], "dismiss", reason="居民关系已终止")
        if detail["pending"]:
            detail = self.step(self.reviewer, medical[0]["id"], "approve")
        self.assertEqual(detail["state"], "dismissed")
        # Another's version is stale.
        stale = self.clerk.call("POST", f"/cases/{medical[1]['id']}/steps", {"action": "notify"},
                                {"If-Match": '"77"'})
        self.assertEqual((stale.status, stale.code), (412, "CB-CASEWORK-0003"))
        # In bulk, each for itself.
        ids = [i["id"] for i in medical[1:3]] + [pension[0]["id"]]
        bulk = self.clerk.call("POST", "/cases/bulk", {"cases": ids, "step": {"action": "notify"}},
                               {"Idempotency-Key": "bulk-of-test-cases"}).json()
        self.assertEqual(bulk["done"], ids[:2])
        self.assertEqual([r["code"] for r in bulk["refused"]], ["CB-CASEWORK-0004"])
        # Evidence goes in and comes out as it was.
        scan = b"%PDF-1.7 \xe8\xaf\x81\xe6\x98\x8e 330102195001010011"
        kept = self.clerk.call("POST", f"/cases/{pension[0]['id']}/evidence?name=a.pdf", raw=scan)
        self.assertEqual(kept.status, 201, kept.body)
        evidence = kept.json()["evidence"][0]
        got = self.clerk.call("GET", f"/cases/{pension[0]['id']}/evidence/{evidence['id']}")
        self.assertEqual((got.status, got.body), (200, scan))
        self.assertNotIn(b"330102195001010011",
                         (self.data / "evidence" / evidence["sha256"]).read_bytes())
        # Discrepancies: sent to the source, and answered.
        wrong = self.listed(kind="discrepancy", limit=3)["items"]
        for item, action in zip(wrong, ("correct", "confirm_right")):
            self.step(self.clerk, item["id"], "send")
            self.step(self.clerk, item["id"], action, note="来源已答复")

    def test_3_a_city_of_neither_side_sees_nothing(self):
        wenzhou = self.signed_in("wenzhou")
        everything = self.get(wenzhou, "/cases?limit=200")
        own = re.compile(r"^3303")
        for item in everything["items"]:
            if own.match(item["county"] or ""):
                continue
            detail = self.get(wenzhou, f"/cases/{item['id']}")
            regions = [p["division"] for p in detail["parties"]] + [detail["place"] or ""]
            self.assertTrue(item["kind"] == "discrepancy" or any(own.match(r) for r in regions), detail)
        foreign = next(i for i in self.listed(kind="duplicate", limit=200)["items"]
                       if i["id"] not in {x["id"] for x in everything["items"]})
        self.assertEqual(wenzhou.call("GET", f"/cases/{foreign['id']}").status, 404)
        refused = wenzhou.call("POST", f"/cases/{foreign['id']}/steps", {"action": "notify"},
                               {"If-Match": '"1"'})
        self.assertEqual(refused.status, 404)

    def test_4_the_next_cutoff_counts_what_was_closed(self):
        later = harness.copy_delivery(self.made, self.workspace.path("later"))
        manifest = later / "manifest.toml"
        manifest.write_text(manifest.read_text("utf-8").replace(FIRST, SECOND), "utf-8")
        harness.compare(later, self.data)
        now = harness.form(self.data, "2-1")
        before = harness.form(self.data, "2-1", cutoff=FIRST)
        self.assertEqual(before["columns"], self.first["columns"])
        at = self.value
        for column in (9, 11, 13, 15, 18, 20):
            self.assertEqual(at(before, column), 0)
            closed = {9: 1, self.benefit_column + 1: 1}.get(column, 0)
            self.assertEqual(at(now, column), closed, column)
            people = self.get(self.clerk, f"/forms/2-1/people?column={column}")
            self.assertEqual((people["count"], len(people["rows"])), (closed, closed), column)
        # What is not dismissed and not gone, in its column; what is consolidated as well.
        counts = {}
        for i in self.get(self.clerk, "/cases/summary")["items"]:
            if i["kind"] == "duplicate" and i["state"] not in ("dismissed", "gone"):
                counts[i["number"]] = counts.get(i["number"], 0) + i["count"]
        for bit, column in ((1, 8), (2, 10), (4, 12), (8, 14), (16, 17), (32, 19)):
            self.assertEqual(at(now, column), counts.get(bit, 0), column)
        self.assertTrue(all(c["holds"] for c in now["checks"] if c["blocking"]))
        # A figure is its people: counted anew from each person.
        self.assertIn("agree", harness.ok("doctor", "--data", self.data).out)
        # The same cases, as far as they were, none twice.
        self.assertEqual(self.listed(state="consolidated")["count"], 2)
        self.assertEqual(self.listed(state="dismissed")["count"], 1)
        self.assertLessEqual(self.listed(state="notified")["count"], 2)
        column_27 = self.value(harness.form(self.data, "1"), 27)
        self.assertGreater(float(str(column_27).rstrip("%")), 0)

    def test_5_the_review_queue(self):
        queue = self.get(self.reviewer, "/review?limit=5")
        self.assertEqual([c["key"] for c in queue["columns"]][0], "row")
        for row in queue["rows"]:
            self.assertNotRegex(row["person_number"], r"^\d{17}[\dX]$")
        if not queue["rows"]:
            return
        row = queue["rows"][0]
        decision = {"row": row["row"], "candidate": row["candidate"], "decision": "different"}
        taken = self.reviewer.call("POST", "/review", {"decisions": [decision]})
        self.assertEqual((taken.status, taken.json()), (200, {"taken": 1}))
        self.assertIn(row["candidate"], harness.ok("review", "--data", self.data, "--taken").out)
        wrong = self.reviewer.call("POST", "/review", {"decisions": [{**decision, "row": "x:1"}]})
        self.assertEqual((wrong.status, wrong.code), (422, "CB-SERVICE-0511"))
        later = self.reviewer.call("POST", "/review",
                                   {"decisions": [{**decision, "decision": "later"}]})
        self.assertEqual(later.json(), {"taken": 1})


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
