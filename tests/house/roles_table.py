#!/usr/bin/env python3
"""The table of roles in docs/access.md is what data/access/roles.toml says, and every permission that
the contract asks for is one of it.

  roles_table.py            compares; exit code 1 where they differ
  roles_table.py --write    writes the table
"""

from __future__ import annotations

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BEGIN = re.compile(r"(<!-- roles: .*? -->\n)(.*?)(<!-- end of roles -->)", re.S)


def read_roles(text: str) -> tuple[list[dict], list[dict]]:
    """As much of TOML as the file uses: Python 3.9 has no reader of its own."""
    permissions, roles = [], []
    current: dict = {}
    text = re.sub(r"\[\s*\n(.*?)\n\]", lambda m: "[" + " ".join(m.group(1).split()) + "]", text,
                  flags=re.S)
    for line in text.splitlines():
        if line.startswith("[[permission]]"):
            current = {}
            permissions.append(current)
        elif line.startswith("[[role]]"):
            current = {}
            roles.append(current)
        elif match := re.match(r'(\w+) = "(.*)"$', line):
            current[match[1]] = match[2]
        elif match := re.match(r"(\w+) = true$", line):
            current[match[1]] = True
        elif match := re.match(r"may = \[(.*)\]$", line):
            current["may"] = re.findall(r'"([^"]+)"', match[1])
    return permissions, roles


def table(permissions: list[dict], roles: list[dict]) -> str:
    names = [role["name"].replace("_administrator", "") for role in roles]
    lines = ["| permission | persons | " + " | ".join(names) + " |", "|---" * (2 + len(names)) + "|"]
    for permission in permissions:
        marks = ["x" if permission["name"] in role["may"] else "" for role in roles]
        lines.append(f"| `{permission['name']}` {permission['en']} | "
                     f"{'yes' if permission.get('personal') else ''} | " + " | ".join(marks) + " |")
    return "\n".join(lines) + "\n"


def main() -> int:
    permissions, roles = read_roles((ROOT / "data/access/roles.toml").read_text("utf-8"))
    page = ROOT / "docs/access.md"
    text = page.read_text("utf-8")
    wanted = BEGIN.sub(lambda m: m[1] + table(permissions, roles) + m[3], text)
    if "--write" in sys.argv:
        page.write_text(wanted, "utf-8")
        return 0
    failed = 0
    if len(roles) < 9 or len(permissions) < 20:
        print("roles.toml was not understood")
        failed = 1
    if wanted != text:
        print("docs/access.md differs from data/access/roles.toml: tests/house/roles_table.py --write")
        failed = 1
    contract = (ROOT / "api/openapi.yaml").read_text("utf-8")
    asked = set(re.findall(r"x-permission: ([a-z.]+)", contract))
    known = {p["name"] for p in permissions} | {"public", "session"}
    granted = {p for role in roles for p in role["may"]} | {"public", "session"}
    for name in sorted(asked - known):
        print(f"the contract asks for {name}, which roles.toml does not know")
        failed = 1
    for name in sorted(asked - granted):
        print(f"no role has {name}: nobody can call what asks for it")
        failed = 1
    operations = len(re.findall(r"operationId: ", contract))
    declared = len(re.findall(r"operationId: \w+, x-permission: ", contract))
    if operations != declared:
        print(f"{operations - declared} operations of the contract declare no permission")
        failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
