"""The console in a real browser (Chromium) against `canbao serve` with a demo register: one test per journey of
web/console/tests/journeys. Pictures of all screens are left in build/report/screens.

Without CANBAO_JOURNEYS=all the smoke set runs: a way through each area and each role, about a minute. All of them look at
each screen, in the other language and theme too."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

import harness

CONSOLE = harness.ROOT / "web/console"
CHROMIUM = shutil.which("chromium")
SCREENS = pathlib.Path(os.environ.get("CANBAO_SCREENS", harness.ROOT / "build/report/screens"))
ALL = ["--all"] if os.environ.get("CANBAO_JOURNEYS") == "all" else []

# account: role, division. The last two begin with a first password.
ACCOUNTS = {
    "operator": ("operator", "330000"), "reviewer": ("reviewer", "330000"), "leader": ("leader", "330000"),
    "surveyor": ("surveyor", "330100"), "liaison": ("liaison", "330000"), "clerk": ("clerk", "330100"),
    "county": ("operator", "330102"), "street": ("clerk", "330102013"),
    "system": ("system_administrator", "330000"), "security": ("security_administrator", "330000"),
    "auditor": ("audit_administrator", "330000"),
    "newcomer": ("operator", "330000"), "newadmin": ("security_administrator", "330000"),
}
FIRST = ("newcomer", "newadmin")


def node(*words, **more):
    env = {**os.environ, **more, "PATH": f"{CONSOLE / 'node_modules/.bin'}:{os.environ['PATH']}"}
    return subprocess.run(["node", str(CONSOLE / "tests/run.mjs"), *ALL, *words], env=env, cwd=CONSOLE,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=1800, check=False)


def journeys() -> list[str]:
    """Their names; none without the packages of the console."""
    if not (CONSOLE / "node_modules/playwright-core").is_dir() or not (CONSOLE / "dist/index.html").is_file():
        return []
    listed = node("--list")
    if listed.returncode != 0:
        raise AssertionError(listed.stderr)
    return listed.stdout.splitlines()


class Console(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not JOURNEYS:
            # The console is skipped where the npm registry cannot be reached (tools/console.sh).
            raise unittest.SkipTest("the console is not built")
        if CHROMIUM is None:
            raise AssertionError("chromium is missing: tools/bootstrap.sh test")
        cls.workspace = harness.Workspace("console")
        cls.addClassCleanup(cls.workspace.close)
        data = cls.workspace.data()
        made = harness.demo(cls.workspace.path("made"), 20000, "--seed", 7)
        harness.compare(made, data)
        harness.ok("db", "start", "--data", data)
        accounts = {account: cls.account(data, account) for account in ACCOUNTS}
        # What an operator delivers in the browser: the same province, a quarter later.
        later = cls.delivery_of_a_city(made, cls.workspace.path("later"))
        url = cls.serve(data, made.parent)
        outcomes = cls.workspace.path("outcomes.json")
        cls.ran = node(CANBAO_URL=url, CANBAO_ACCOUNTS=json.dumps(accounts), CANBAO_SCREENS=str(SCREENS),
                       CANBAO_DELIVERY=str(later),
                       CANBAO_OUTCOMES=str(outcomes), CHROMIUM=CHROMIUM)
        cls.outcomes = {}
        if outcomes.exists():
            cls.outcomes = {each["name"]: each["error"] for each in json.loads(outcomes.read_text())}

    @classmethod
    def delivery_of_a_city(cls, made, target) -> pathlib.Path:
        """What the province and one of its cities deliver a quarter later: few files, since each is uploaded."""
        head, blocks = harness.manifest_blocks(made)
        target.mkdir()
        kept = []
        for block in blocks:
            name = re.search(r'(?m)^file\s*=\s*"(.+)"', block)[1]
            if re.search(r"_(330000|330100)\.", name):
                kept.append(block)
                shutil.copy(made / name, target / name)
        harness.write_manifest(target, re.sub(r"(?m)^cutoff\s*=.*$", "cutoff = 2017-12-31", head), kept)
        return target

    @classmethod
    def account(cls, data, name) -> dict:
        role, division = ACCOUNTS[name]
        ready = [] if name in FIRST else ["--ready"]
        return json.loads(harness.ok("user", "add", name, "--data", data, "--name", f"示例{name}", "--role", role,
                                     "--division", division, "--format", "json", *ready).out)

    @classmethod
    def serve(cls, data, deliveries) -> str:
        log = open(cls.workspace.path("serve.log"), "wb")
        cls.addClassCleanup(log.close)
        server = subprocess.Popen([str(harness.CANBAO), "serve", "--data", str(data), "--listen", "127.0.0.1:0",
                                   "--web", str(CONSOLE / "dist"), "--deliveries", str(deliveries)],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True,
                                  env=harness.environment())

        def stop():
            server.terminate()
            try:
                server.wait(60)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
            server.stdout.close()

        cls.addClassCleanup(stop)
        for line in server.stdout:
            found = re.search(r"serving at (http://\S+?)/?$", line.strip())
            if found:
                return found[1]
        raise AssertionError(f"serve ended: {cls.workspace.path('serve.log').read_text()[-2000:]}")

    def check(self, name):
        if name not in self.outcomes:
            self.fail(f"did not run: {self.ran.stdout[-2000:]}{self.ran.stderr[-2000:]}")
        if self.outcomes[name]:
            self.fail(self.outcomes[name])


JOURNEYS = journeys()
for number, title in enumerate(JOURNEYS):
    setattr(Console, f"test_{number:02}_{re.sub(r'[^a-z0-9]+', '_', title.lower())}",
            lambda self, title=title: self.check(title))
if not JOURNEYS:
    Console.test_is_built = lambda self: None

if __name__ == "__main__":
    harness.main(sys.modules[__name__])
