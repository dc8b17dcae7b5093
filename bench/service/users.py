#!/usr/bin/env python3
"""The users of the load: accounts of mixed roles and divisions, their sessions, and what they look for.

    bench/service/users.py --canbao EXE --data DATA --address HOST:PORT --out users.json [--accounts 100]

Accounts are made by `canbao user add`, signed in over HTTP (the service lets ten in a second and address), and
kept in users.json; a session that has ended is made anew. What is looked for is taken from the register through
the API: people of lists, whose numbers and names are revealed for a purpose, at most 60 an account.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import time

from client import Pool, compose

# Of 100 accounts: role, level, how many.
MIX = [("operator", "province", 3), ("operator", "city", 8), ("operator", "county", 29),
       ("clerk", "county", 25), ("reviewer", "city", 5), ("reviewer", "county", 8),
       ("surveyor", "county", 10), ("leader", "province", 2), ("leader", "city", 4),
       ("leader", "county", 4), ("liaison", "city", 2)]
WORKERS = {"operator", "clerk", "reviewer", "surveyor"}
SESSIONS = 2


def add(canbao, data, account, role, division):
    done = subprocess.run(
        [canbao, "user", "add", account, "--data", data, "--name", "示例", "--role", role,
         "--division", division, "--ready", "--format", "json"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, env={**os.environ, "LANG": "en_US.UTF-8"})
    if done.returncode != 0:
        sys.exit(done.stderr)
    return json.loads(done.stdout)["password"]


async def sign_in(pool, user):
    status, head, body = await pool.exchange(
        compose("POST", "/api/v1/session", None, {"account": user["account"], "password": user["password"]}))
    if status != 201:
        return None
    cookie = next(line[12:].split(b";")[0].decode() for line in head.split(b"\r\n")
                  if line.lower().startswith(b"set-cookie: "))
    return {"cookie": cookie, "csrf": json.loads(body)["csrf_token"], "at": time.time()}


async def alive(pool, session):
    status, _, _ = await pool.exchange(compose("GET", "/api/v1/session", session))
    return status == 200


async def sessions(pool, users):
    made = 0
    for user in users:
        good = []
        for session in user.get("sessions", []):
            if await alive(pool, session):
                good.append(session)
        while len(good) < SESSIONS:
            session = await sign_in(pool, user)
            if session is None:
                await asyncio.sleep(0.2)
                continue
            made += 1
            good.append(session)
        user["sessions"] = good
    return made


async def divisions_of(pool, session):
    status, _, body = await pool.exchange(compose("GET", "/api/v1/home", session))
    assert status == 200, body
    tiles = json.loads(body)["divisions"]
    return [t["code"] for t in tiles if (t["values"].get("compared") or 0) > 0]


async def learn(pool, users):
    """Numbers and names of people that each county's users may see, by revealing some of them."""
    for user in users:
        if user["role"] not in ("operator", "clerk", "reviewer") or user.get("people"):
            continue
        session = user["sessions"][0]
        people = []
        total = None
        for _ in range(2):
            page = 1 if total is None else random.randint(1, max(1, min(total // 50, 2000)))
            status, _, body = await pool.exchange(
                compose("GET", f"/api/v1/lists/uncovered?limit=50&page={page}", session))
            if status != 200:
                sys.exit(f"list: {status} {body[:300]}")
            table = json.loads(body)
            total = table.get("count") or 0
            for row in random.sample(table["rows"], min(8, len(table["rows"]))):
                status, _, body = await pool.exchange(compose(
                    "POST", f"/api/v1/persons/{row['person_key']}/reveal", session, {"purpose": "压力测试准备"}))
                if status != 200:
                    continue
                who = json.loads(body)
                if who["number"] and who["name"]:
                    people.append({"key": str(row["person_key"]), "number": who["number"], "name": who["name"],
                                   "county": user["division"]})
        user["people"] = people


async def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--canbao", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--address", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--accounts", type=int, default=100)
    options = parser.parse_args()
    random.seed(7)
    try:
        with open(options.out, encoding="utf-8") as file:
            state = json.load(file)
    except FileNotFoundError:
        state = {"users": []}
    users = state["users"]
    pool = Pool(options.address)

    def save():
        with open(options.out + ".new", "w", encoding="utf-8") as file:
            json.dump(state, file, ensure_ascii=False)
        os.replace(options.out + ".new", options.out)

    if not users:
        password = add(options.canbao, options.data, "bench.first", "operator", "330000")
        users.append({"account": "bench.first", "password": password, "role": "operator", "level": "province",
                      "division": "330000"})
        save()
    await sessions(pool, users[:1])
    if len(users) < options.accounts:
        cities = [c[:6] for c in await divisions_of(pool, users[0]["sessions"][0])]
        places = {"province": ["330000"], "city": cities, "county": []}
        for city in cities:
            status, _, body = await pool.exchange(
                compose("GET", f"/api/v1/home?division={city}", users[0]["sessions"][0]))
            places["county"] += [t["code"][:6] for t in json.loads(body)["divisions"]
                                 if (t["values"].get("compared") or 0) > 0]
        wanted = [(role, level) for role, level, n in MIX for _ in range(n * options.accounts // 100)]
        for i, (role, level) in enumerate(wanted):
            if len(users) >= options.accounts:
                break
            account = f"bench.{role}.{level}.{i}"
            if any(u["account"] == account for u in users):
                continue
            division = places[level][i * 7 % len(places[level])]
            password = add(options.canbao, options.data, account, role, division)
            users.append({"account": account, "password": password, "role": role, "level": level,
                          "division": division})
            if len(users) % 20 == 0:
                save()
    save()
    pool.close()  # the service ends connections that were idle while accounts were made
    pool = Pool(options.address)
    made = await sessions(pool, users)
    save()
    await learn(pool, users)
    save()
    pool.close()
    known = sum(len(u.get("people", [])) for u in users)
    print(f"{len(users)} accounts, {made} sessions made anew, {known} people known")


if __name__ == "__main__":
    asyncio.run(main())
