#!/usr/bin/env python3
"""What the service answers under load, and what that costs: routes one at a time, an open loop of mixed users, a
spike, exports. Prints Markdown; run.sh puts it together.

    bench/service/load.py routes  --users users.json --address HOST:PORT --admin HOST:PORT --data DATA
    bench/service/load.py open    … --rate 200 --seconds 60 [--spike 5 --spike-at 20 --spike-for 3]
    bench/service/load.py export  … [--format csv]
    bench/service/load.py idle    …

The open loop: requests begin when a Poisson process says so, whether or not earlier ones are answered, and their
time counts from that moment, waiting for the generator or a connection included. CPU is that of the service's
process, of PostgreSQL's processes and of the generator, each per request; "others" is what the rest of the machine
used meanwhile, in cores.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import sys
import time

from client import Pool, compose

TICK = os.sysconf("SC_CLK_TCK")

# What users do, by weight. What a role may not do is drawn again.
ACTIONS = [("home", 15), ("search number", 18), ("search name+county", 14), ("person", 20), ("list first", 8),
           ("list next", 8), ("list jump", 3), ("form", 5), ("people of a figure", 5), ("cases", 4)]
FIGURES_ONLY = ("home", "form")
LISTS = ("uncovered", "to-verify", "duplicates")


# ---- processor time ----

def cpu_of(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICK


def children_cpu(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[13]) + int(fields[14])) / TICK


def machine_cpu():
    with open("/proc/stat", encoding="ascii") as file:
        fields = [int(x) for x in file.readline().split()[1:]]
    return (sum(fields) - fields[3] - fields[4]) / TICK


class Meter:
    def __init__(self, options):
        with open(os.path.join(options.data, "postgres", "data", "postmaster.pid"), encoding="ascii") as file:
            self.postmaster = int(file.readline())
        self.server = options.server
        self.start()

    def postgres(self):
        total = cpu_of(self.postmaster) + children_cpu(self.postmaster)
        with open(f"/proc/{self.postmaster}/task/{self.postmaster}/children", encoding="ascii") as file:
            for pid in file.read().split():
                total += cpu_of(pid)
        return total

    def start(self):
        self.at = (time.time(), cpu_of(self.server), self.postgres(), time.process_time(), machine_cpu())

    def read(self):
        now = (time.time(), cpu_of(self.server), self.postgres(), time.process_time(), machine_cpu())
        wall, server, postgres, own, machine = (b - a for a, b in zip(self.at, now))
        return {"wall": wall, "server": server, "postgres": postgres, "own": own,
                "others": max(0.0, machine - server - postgres - own) / wall}


def resident(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        text = file.read()
    return {name: int(re.search(rf"^{name}: +(\d+)", text, re.M)[1]) / 1024 for name in ("Rss", "Pss")}


def quantile(values, q):
    return values[min(len(values) - 1, int(len(values) * q))] if values else 0.0


def ms(seconds):
    return f"{seconds * 1e3:.1f}" if seconds < 1 else f"{seconds * 1e3:.0f}"


# ---- what users ask ----

class Users:
    def __init__(self, path, seed=11):
        with open(path, encoding="utf-8") as file:
            self.users = json.load(file)["users"]
        self.random = random.Random(seed)
        self.seats = []  # one a session
        for user in self.users:
            for session in user["sessions"]:
                self.seats.append({"user": user, "session": session, "keys": [], "next": None, "count": {}})
        self.people = [p for u in self.users for p in u.get("people", [])]

    def pick(self, role=None, level=None):
        while True:
            seat = self.random.choice(self.seats)
            if (role is None or seat["user"]["role"] == role) and (level is None or seat["user"]["level"] == level):
                return seat

    def action(self, seat):
        names = [a for a, _ in ACTIONS]
        weights = [w for _, w in ACTIONS]
        while True:
            action = self.random.choices(names, weights)[0]
            role = seat["user"]["role"]
            if role in ("leader", "liaison") and action not in FIGURES_ONLY:
                continue
            if role == "surveyor" and action == "cases":
                continue
            return action

    def person_of(self, seat):
        own = seat["user"].get("people")
        # Nine of ten look for one of their own county, the tenth for anybody.
        return self.random.choice(own if own and self.random.random() < 0.9 else self.people)

    # A surveyor was not told numbers, but sees the people of the division: those of a colleague there.
    def people_for(self, seat):
        division = seat["user"]["division"]
        return next((u["people"] for u in self.users if u["division"] == division and u.get("people")), None)

    def request(self, seat, action):
        r = self.random
        s = seat["session"]
        api = "/api/v1"
        if action == "home":
            return compose("GET", f"{api}/home", s)
        if action == "search number":
            return compose("POST", f"{api}/persons/search", s,
                           {"by": "number", "value": self.person_of(seat)["number"], "purpose": "窗口核对"})
        if action == "search name+county":
            who = self.person_of(seat)
            county = seat["user"]["division"] if seat["user"]["level"] == "county" else who["county"]
            if not county.startswith(seat["user"]["division"].rstrip("0") or "3"):
                county = seat["user"]["division"]
            return compose("POST", f"{api}/persons/search", s,
                           {"by": "name", "value": who["name"], "division": county, "purpose": "窗口核对"})
        if action == "person":
            # From a list, or found before: of those that the user may see.
            own = seat["user"].get("people") or self.people_for(seat)
            if not seat["keys"] and not own:
                return compose("GET", f"{api}/lists/uncovered", s)
            key = r.choice(seat["keys"]) if seat["keys"] else r.choice(own)["key"]
            return compose("GET", f"{api}/persons/{key}", s)
        if action == "list first" or action == "list next" and not seat["next"]:
            return compose("GET", f"{api}/lists/{r.choices(LISTS, (6, 3, 1))[0]}", s)
        if action == "list next":
            name, cursor = seat["next"]
            return compose("GET", f"{api}/lists/{name}?after={cursor}", s)
        if action == "list jump":
            pages = max(1, (seat["count"].get("uncovered") or 5000) // 50)
            return compose("GET", f"{api}/lists/uncovered?page={r.randint(1, pages)}", s)
        if action == "form":
            return compose("GET", f"{api}/forms/{r.choice(('2-1', '2-1', '2-2', '1'))}", s)
        if action == "people of a figure":
            return compose("GET", f"{api}/forms/2-1/people?column={r.choice((5, 7, 16, 7, 16, 8, 17))}", s)
        return compose("GET", f"{api}/cases", s)

    KEY = re.compile(rb'"person_key": ?"?(\d+)')
    NEXT = re.compile(rb'"next": ?"([^"]+)"')
    COUNT = re.compile(rb'"count": ?(\d+)')

    def learn(self, seat, action, body, path):
        if "/lists/" in path:
            keys = self.KEY.findall(body)
            seat["keys"] = [int(k) for k in keys[:5]]
            found = self.NEXT.search(body[-400:]) or self.NEXT.search(body[:400]) or self.NEXT.search(body)
            name = path.split("/lists/")[1].split("?")[0]
            seat["next"] = (name, found[1].decode()) if found else None
            if count := self.COUNT.search(body):
                seat["count"][name] = int(count[1])


# ---- modes ----

async def timed(pool, data):
    begin = time.perf_counter()
    status, head, body = await pool.exchange(data)
    return time.perf_counter() - begin, status, head, body


async def routes(options):
    users = Users(options.users)
    pool = Pool(options.address)
    meter = Meter(options)
    county = users.pick("operator", "county")
    city = users.pick("operator", "city")
    province = users.pick("operator", "province")
    leader = users.pick("leader", "county")
    table = []

    async def table_of(seat, path):
        status, _, body = await pool.exchange(compose("GET", "/api/v1" + path, seat["session"]))
        if status != 200:
            sys.exit(f"{path}: {status} {body[:300]}")
        return json.loads(body)

    async def measure(name, make, n=None, target=None, good=(200,)):
        n = n or options.requests
        for _ in range(3):
            await pool.exchange(make())
        times = []
        meter.start()
        for _ in range(n):
            data = make()
            seconds, status, _, body = await timed(pool, data)
            if status not in good:
                sys.exit(f"{name}: {status} {body[:300]}")
            times.append(seconds)
        cost = meter.read()
        times.sort()
        row = {"name": name, "n": n, "p50": quantile(times, .5), "p95": quantile(times, .95),
               "p99": quantile(times, .99), "server": cost["server"] / n, "postgres": cost["postgres"] / n,
               "others": cost["others"], "target": target, "bytes": len(body)}
        table.append(row)
        noop = table[0]["server"]
        print(f"| {name} | {n} | {ms(row['p50'])} | {ms(row['p95'])} | {ms(row['p99'])} | {target or ''} | "
              f"{row['server'] * 1e3:.2f} | {row['server'] / noop:.0f} | {row['postgres'] * 1e3:.2f} | "
              f"{row['bytes'] / 1024:.1f} | {cost['others']:.2f} |", flush=True)

    print("| route | requests | p50 ms | p95 ms | p99 ms | wanted p95 | service CPU ms | × no-op | PostgreSQL CPU ms | "
          "answer kB | others, cores |\n|---|---|---|---|---|---|---|---|---|---|---|", flush=True)
    get = lambda seat, path: lambda: compose("GET", "/api/v1" + path, seat["session"])
    seats = [s for s in users.seats if s["user"]["level"] == "county" and s["user"].get("people")]
    anybody = lambda: users.random.choice(seats)
    provincial = [p for u in users.users for p in u.get("people", [])]

    await measure("no-op: refused by the contract (400)", get(county, "/home?x=1"), 1500, good=(400,))
    # By all in turn: an account may ask a hundred times a second.
    await measure("signed in: `GET /session`",
                  lambda: compose("GET", "/api/v1/session", users.random.choice(users.seats)["session"]), 500)

    def by_number(seat, people):
        def make():
            s = seat or anybody()
            who = users.random.choice(people or s["user"]["people"])
            return compose("POST", "/api/v1/persons/search", s["session"],
                           {"by": "number", "value": who["number"], "purpose": "窗口核对"})
        return make

    await measure("search by number, county", by_number(None, None), target=20)
    await measure("search by number, province", by_number(province, provincial), target=20)

    def by_name():
        s = anybody()
        who = users.random.choice(s["user"]["people"])
        return compose("POST", "/api/v1/persons/search", s["session"],
                       {"by": "name", "value": who["name"], "division": s["user"]["division"], "purpose": "窗口核对"})

    def by_name_provincial():
        s = anybody()
        who = users.random.choice(s["user"]["people"])
        return compose("POST", "/api/v1/persons/search", province["session"],
                       {"by": "name", "value": who["name"], "division": s["user"]["division"], "purpose": "窗口核对"})

    def by_name_alone():
        who = users.random.choice(users.people)
        return compose("POST", "/api/v1/persons/search", province["session"],
                       {"by": "name", "value": who["name"], "purpose": "窗口核对"})

    def by_initials():
        s = anybody()
        return compose("POST", "/api/v1/persons/search", s["session"],
                       {"by": "pinyin", "value": users.random.choice(("zs", "lw", "wxm", "zhangwei", "chenf", "hxy")),
                        "division": s["user"]["division"], "purpose": "窗口核对"})

    await measure("search by name + county, county", by_name, target=150)
    await measure("search by name + county, province", by_name_provincial, target=150)
    await measure("search by name alone, province", by_name_alone)
    await measure("search by pinyin or initials, county", by_initials)

    def person():
        s = anybody()
        return compose("GET", "/api/v1/persons/" + users.random.choice(s["user"]["people"])["key"], s["session"])

    await measure("a person's page", person)
    for level, seat in (("county", county), ("city", city), ("province", province)):
        await measure(f"home, {level}", get(seat, "/home"), target=100)
    await measure("home, leader", get(leader, "/home"), target=100)
    for form in ("2-1", "2-2", "1"):
        await measure(f"form {form}, province", get(province, f"/forms/{form}"), 50)
    for name in ("to-verify", "uncovered", "duplicates", "discrepancies", "conflicts", "rejects"):
        for level, seat in (("county", county), ("province", province)):
            count = (await table_of(seat, f"/lists/{name}")).get("count")
            await measure(f"{name}, first page, {level} ({count:,} rows)", get(seat, f"/lists/{name}"), 60, 100)
    for name, seat, level in (("uncovered", province, "province"), ("to-verify", province, "province"),
                              ("uncovered", city, "city"), ("uncovered", county, "county")):
        count = (await table_of(seat, f"/lists/{name}")).get("count") or 0
        page = min(10000, max(1, count // 50))
        at = await table_of(seat, f"/lists/{name}?page={page}")
        await measure(f"{name}, page {page:,}, {level}", get(seat, f"/lists/{name}?page={page}"), 60, 100)
        if at.get("next"):
            await measure(f"{name}, next of page {page:,}, {level}", get(seat, f"/lists/{name}?after={at['next']}"), 60,
                          100)
        if at.get("previous"):
            await measure(f"{name}, previous of page {page:,}, {level}",
                          get(seat, f"/lists/{name}?before={at['previous']}"), 60, 100)
        pages = max(1, count // 50)
        await measure(f"{name}, any page, {level}",
                      lambda: compose("GET", f"/api/v1/lists/{name}?page={users.random.randint(1, pages)}",
                                      seat["session"]), 60, 100)
    for filters in ("branch=pension", "age_from=30&age_to=40", "branch=medical&age_from=60"):
        await measure(f"uncovered, {filters}, province", get(province, f"/lists/uncovered?{filters}"), 60, 100)
    for level, seat in (("county", county), ("province", province)):
        for form, column in (("2-1", 1), ("2-1", 5), ("2-1", 7), ("2-1", 8), ("2-2", 1), ("2-2", 20)):
            await measure(f"people of {form} column {column}, {level}",
                          get(seat, f"/forms/{form}/people?column={column}"), 40, 100)
        await measure(f"cases, {level}", get(seat, "/cases"), 60, 100)
        await measure(f"cases by state, {level}", get(seat, "/cases?state=found"), 60, 100)
    pool.close()
    missed = [r["name"] for r in table if r["target"] and r["p95"] * 1e3 > r["target"]]
    print("\nOver what is wanted: " + ("; ".join(missed) if missed else "none") + ".")


async def open_loop(options):
    users = Users(options.users, options.seed)
    pool = Pool(options.address)
    meter = Meter(options)
    results = []  # (intended, action, seconds, status)
    out = 0
    most_out = 0
    late = []
    refused = {}

    async def one(intended, seat, action):
        nonlocal out, most_out
        out += 1
        most_out = max(most_out, out)
        data = users.request(seat, action)
        try:
            status, _, body = await pool.exchange(data)
        except (OSError, asyncio.TimeoutError) as error:
            status, body = 0, repr(error).encode()
        results.append((intended, action, time.perf_counter() - intended, status))
        out -= 1
        if status == 200:
            users.learn(seat, action, body, data.split(b" ", 2)[1].decode())
        else:
            what = f"{action}: {status} {body[:160].decode('utf-8', 'replace')}"
            refused[what] = refused.get(what, 0) + 1

    async def phase(seconds, spike):
        begin = time.perf_counter()
        at = begin
        tasks = []
        while True:
            rate = options.rate
            if spike and options.spike_at <= at - begin < options.spike_at + options.spike_for:
                rate *= options.spike
            at += users.random.expovariate(rate)
            if at - begin >= seconds:
                break
            wait = at - time.perf_counter()
            if wait > 0.0005:
                await asyncio.sleep(wait)
            else:
                await asyncio.sleep(0)
            late.append(time.perf_counter() - at)
            seat = users.random.choice(users.seats)
            tasks.append(asyncio.create_task(one(at, seat, users.action(seat))))
        await asyncio.gather(*tasks)
        return begin

    # Connections and caches first.
    await phase(5, False)
    results.clear()
    refused.clear()
    late.clear()
    most_out = 0
    meter.start()
    begin = await phase(options.seconds, options.spike > 1)
    cost = meter.read()
    errors = sum(1 for r in results if r[3] != 200)
    n = len(results)
    times = sorted(r[2] for r in results)
    late.sort()
    print(f"{n:,} requests in {options.seconds} s = {n / options.seconds:.0f}/s offered by {len(users.seats)} sessions of "
          f"{len(users.users)} accounts over {pool.made} connections, at most {most_out} out at a time; errors: {errors}; "
          f"p50 {ms(quantile(times, .5))}, p95 {ms(quantile(times, .95))}, p99 {ms(quantile(times, .99))}, "
          f"most {ms(times[-1])} ms. The generator was late by {ms(quantile(late, .5))} ms (p99 "
          f"{ms(quantile(late, .99))}), which is counted.")
    print(f"CPU per request: service {cost['server'] / n * 1e3:.2f} ms, PostgreSQL {cost['postgres'] / n * 1e3:.2f} ms, "
          f"generator {cost['own'] / n * 1e3:.2f} ms; others {cost['others']:.2f} cores; together "
          f"{(cost['server'] + cost['postgres'] + cost['own']) / cost['wall']:.2f} of {os.cpu_count()} cores.\n")
    if options.spike > 1:
        print("| second | requests | p50 ms | p95 ms | most ms |\n|---|---|---|---|---|")
        last = 0
        for second in range(options.seconds):
            here = sorted(r[2] for r in results if second <= r[0] - begin < second + 1)
            if not here:
                continue
            if options.spike_at - 3 <= second < options.spike_at + options.spike_for + 15:
                print(f"| {second} | {len(here)} | {ms(quantile(here, .5))} | {ms(quantile(here, .95))} | {ms(here[-1])} |")
            if second >= options.spike_at + options.spike_for and quantile(here, .95) > 0.3:
                last = second + 1 - (options.spike_at + options.spike_for)
        print(f"\nRate × {options.spike} for {options.spike_for} s from second {options.spike_at}: p95 back below 300 ms "
              f"{last} s after its end.")
    print("\n| action | requests | p50 ms | p95 ms | p99 ms |\n|---|---|---|---|---|")
    for action, _ in ACTIONS:
        here = sorted(r[2] for r in results if r[1] == action)
        if here:
            print(f"| {action} | {len(here)} | {ms(quantile(here, .5))} | {ms(quantile(here, .95))} | "
                  f"{ms(quantile(here, .99))} |")
    for what, count in sorted(refused.items(), key=lambda x: -x[1])[:5]:
        print(f"\n{count} × `{what}`")
    pool.close()


def descendants(pid):
    found = []
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return found
    for task in tasks:
        try:
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                for child in file.read().split():
                    found += [int(child), *descendants(child)]
        except OSError:
            pass
    return found


async def export(options):
    users = Users(options.users)
    pool = Pool(options.address)
    seat = users.pick("operator", "province")
    session = seat["session"]
    if not options.header_done:
        print("| list | format | clear | rows | from request to done | of which the job | rows/s | job's peak memory | "
              "its CPU | file |\n|---|---|---|---|---|---|---|---|---|---|")
    seen = {}
    begin = time.time()
    status, _, body = await pool.exchange(compose("POST", "/api/v1/exports", session, {
        "list": options.list, "format": options.format, "purpose": "压力测试", "clear": options.clear,
        **({"column": options.column} if options.column else {})}))
    if status != 202:
        sys.exit(f"export: {status} {body[:300]}")
    job = json.loads(body)["id"]
    while True:
        await asyncio.sleep(0.05)
        for pid in descendants(options.server):
            try:
                with open(f"/proc/{pid}/status", encoding="ascii") as file:
                    text = file.read()
                name = re.search(r"^Name:\s+(\S+)", text, re.M)[1]
                peak = int(re.search(r"^VmHWM:\s+(\d+)", text, re.M)[1]) / 1024
                if name == "canbao":
                    seen[pid] = (max(peak, seen.get(pid, (0, 0))[0]), cpu_of(pid))
            except (OSError, TypeError):
                pass
        if time.time() - begin > 1 and int((time.time() - begin) * 20) % 5:
            continue
        status, _, body = await pool.exchange(compose("GET", f"/api/v1/jobs/{job}", session))
        state = json.loads(body)
        if state["state"] not in ("queued", "running"):
            break
    wall = time.time() - begin
    if state["state"] not in ("done", "succeeded", "finished"):
        sys.exit(f"export: {body[:600]}")
    status, _, body = await pool.exchange(compose("GET", "/api/v1/exports", session))
    entry = next(e for e in json.loads(body)["items"] if e["job"] == job)
    stamp = lambda t: time.mktime(time.strptime(t[:19], "%Y-%m-%dT%H:%M:%S"))
    run = stamp(state["ended_at"]) - stamp(state["started_at"])
    size = 0
    for folder, _, files in os.walk(os.path.join(options.data, "jobs")):
        if f"/{job}" in folder + "/":
            size += sum(os.path.getsize(os.path.join(folder, f)) for f in files if f.startswith("export."))
    rows = entry["rows"]
    print(f"| {options.list}{' ' + options.column if options.column else ''} | {options.format} | {options.clear} | "
          f"{rows:,} | {wall:.1f} s | {run:.0f} s | {rows / wall:,.0f} | {max(p for p, _ in seen.values()):.0f} MB | "
          f"{max(c for _, c in seen.values()):.1f} s | {size / 1e6:.0f} MB |")
    pool.close()


async def idle(options):
    memory = resident(options.server)
    print(f"The service's own memory: {memory['Rss']:.0f} MB resident, {memory['Pss']:.0f} MB proportional.")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=("routes", "open", "export", "idle"))
    parser.add_argument("--users", required=True)
    parser.add_argument("--address", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--server", type=int, required=True, help="process number of the service")
    parser.add_argument("--requests", type=int, default=150)
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--spike", type=float, default=1)
    parser.add_argument("--spike-at", type=int, default=15)
    parser.add_argument("--spike-for", type=int, default=5)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--list", default="uncovered")
    parser.add_argument("--column", default="")
    parser.add_argument("--format", default="csv")
    parser.add_argument("--clear", action="store_true")
    parser.add_argument("--header-done", action="store_true")
    options = parser.parse_args()
    asyncio.run({"routes": routes, "open": open_loop, "export": export, "idle": idle}[options.mode](options))


if __name__ == "__main__":
    main()
