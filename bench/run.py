"""The macro benchmarks of Canbao. What is measured, how, and what it does not say: bench/README.md.

Makes the deliveries once, runs the product and DuckDB alternately on the same files, asserts that both
give the forms of the truth, and writes bench/results/<name>.json and bench/results/latest.md.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results"


def others_cpu(own_before, own_after, before, after):
    """CPU seconds that other processes took meanwhile: noise that a wall time must not hide."""
    return max(0.0, (after - before) - (own_after - own_before))


def busy_seconds():
    with open("/proc/stat", encoding="ascii") as f:
        fields = [int(x) for x in f.readline().split()[1:9]]
    user, nice, system, _, _, irq, softirq, _ = fields
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


class RssWatch:
    """Peak of the resident memory of a process and all its descendants, sampled every 20 ms.

    Anonymous memory and file pages are told apart: mapped input counts as file pages and is not the
    engine's own memory."""

    def __init__(self, pid):
        self.pid, self.total, self.anonymous = pid, 0, 0

    def sample(self):
        total = anonymous = 0
        pids, seen = [self.pid], set()
        while pids:
            pid = pids.pop()
            if pid in seen:
                continue
            seen.add(pid)
            try:
                with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as f:
                    for line in f:
                        if line.startswith("VmRSS:"):
                            total += int(line.split()[1])
                        elif line.startswith(("RssAnon:", "RssShmem:")):
                            anonymous += int(line.split()[1])
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as f:
                        pids.extend(int(x) for x in f.read().split())
            except (OSError, ValueError):
                continue
        self.total = max(self.total, total)
        self.anonymous = max(self.anonymous, anonymous)


def measure(command, env=None):
    """Runs a command; wall and CPU seconds, peak memory, what it printed. Stops on a failure."""
    busy = busy_seconds()
    with tempfile.TemporaryFile() as printed:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=printed, stderr=subprocess.STDOUT, env=env,
                                   start_new_session=True)
        watch = RssWatch(process.pid)
        over = threading.Event()

        def sample():
            while not over.wait(0.02):
                watch.sample()

        sampler = threading.Thread(target=sample)
        sampler.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        over.set()
        sampler.join()
        printed.seek(0)
        text = printed.read().decode("utf-8", "replace")
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit code {process.returncode}\n{text[-4000:]}")
    cpu = usage.ru_utime + usage.ru_stime
    return {"wall": round(wall, 3), "cpu": round(cpu, 3),
            "others_cpu": round(others_cpu(0, cpu, busy, busy_seconds()), 2),
            "peak_mb": max(watch.total, usage.ru_maxrss) // 1024,
            "peak_anonymous_mb": watch.anonymous // 1024, "output": text}


class Bench:
    def __init__(self, args):
        self.args = args
        self.dir = pathlib.Path(args.dir).resolve()
        self.canbao = pathlib.Path(args.canbao).resolve()

    def delivery(self, persons):
        folder = self.dir / f"slim-{persons}"
        if not (folder / "manifest.toml").exists():
            print(f"making {folder} …", flush=True)
            shutil.rmtree(folder, ignore_errors=True)
            run = measure([self.canbao, "demo-data", "--persons", str(persons), "--out", folder,
                           "--errors", "clean", "--columns", "slim", "--no-digests", "--seed", "1",
                           "--threads", str(self.args.threads)])
            print(f"  {run['wall']} s, {persons / run['wall'] * 60 / 1e6:.1f} M persons a minute")
        truth = json.loads((folder / "truth" / "expected.json").read_text(encoding="utf-8"))
        rows = sum(e["rows"] for e in truth["comparison"]["extracts"].values())
        size = sum(f.stat().st_size for f in folder.iterdir() if f.is_file())
        return folder, truth, rows, size

    def forms(self, data):
        out = {}
        for form in ("2-1", "2-2"):
            run = subprocess.run([self.canbao, "forms", "--data", data, "--form", form,
                                  "--population", "all", "--format", "json"],
                                 capture_output=True, text=True, check=False)
            if run.returncode != 0:
                sys.exit(f"forms {form}: exit code {run.returncode}\n{run.stderr[-2000:]}")
            out["form_" + form.replace("-", "_")] = json.loads(run.stdout)["columns"]
        return out

    def expect(self, engine, truth, forms):
        """Both forms must be the truth's, to the last person."""
        wrong = []
        for form in ("form_2_1", "form_2_2"):
            for column, value in truth[form].items():
                got = forms[form].get(column)
                if (got or 0) != (value or 0):
                    wrong.append(f"{form} ({column}): {got} instead of {value}")
        if wrong:
            sys.exit(f"{engine}: totals differ\n  " + "\n  ".join(wrong))

    def run_canbao(self, folder, truth, register=False):
        data = self.dir / ("data-register" if register else "data")
        self.drop(data)
        command = [self.canbao, "--lang", "en", "compare", folder, "--data", data,
                   "--threads", str(self.args.threads), "--memory", self.args.memory]
        if not register:
            command.append("--no-register")
        run = measure(command)
        self.expect("canbao", truth, self.forms(data))
        output = run.pop("output")
        if register:
            run["load"] = self.load_figures(output)
        self.drop(data, stop=register)
        return run

    def drop(self, data, stop=False):
        if stop or (data / "postgres").exists():
            subprocess.run([self.canbao, "db", "stop", "--data", data], capture_output=True,
                           check=False)
        shutil.rmtree(data, ignore_errors=True)

    @staticmethod
    def load_figures(output):
        found = re.search(r"loaded ([\d,]+) rows in ([\d.]+) s \(encryption included, ([\d,]+) "
                          r"rows/s\); keys ([\d.]+) s", output)
        if not found:
            sys.exit("compare did not print what it loaded:\n" + output[-2000:])
        rows, seconds, rate, keys = (x.replace(",", "") for x in found.groups())
        return {"rows": int(rows), "seconds": float(seconds), "rows_per_second": int(rate),
                "keys_seconds": float(keys)}

    def run_duckdb(self, folder, truth):
        temp = self.dir / "duckdb-temp"
        run = measure([sys.executable, ROOT / "bench" / "duckdb_forms.py", folder,
                       "--threads", str(self.args.threads), "--memory", self.args.duckdb_memory,
                       "--temp", temp])
        answer = json.loads(run.pop("output"))
        shutil.rmtree(temp, ignore_errors=True)
        self.expect("duckdb", truth, answer)
        control = truth["comparison"]
        # The register's own rows are linked by themselves and not counted again.
        known = {k: sum(e.get("rows_by_person", {}).get(k, 0) for e in control["extracts"].values()
                        if e["kind"] != "household_register")
                 for k in ("in_register", "schemes_only", "unknown")}
        for key, value in known.items():
            if answer["control"]["rows_" + key] != value:
                sys.exit(f"duckdb: rows {key}: {answer['control']['rows_' + key]}, truth {value}")
        if answer["control"]["made_by_schemes"] != control["people_made_by_schemes_only"]:
            sys.exit("duckdb: people made by schemes differ from the truth")
        # Its own clock: without the start of Python, in its favour.
        run["process_wall"], run["wall"] = run["wall"], answer["seconds"]
        run["engine"] = answer["engine"]
        return run

    def compare(self, persons):
        """The product and DuckDB in turn; the product alone when there is nothing to compare with."""
        folder, truth, rows, size = self.delivery(persons)
        result = {"persons": persons, "rows": rows, "bytes": size, "canbao": [], "duckdb": []}
        rivals = persons in self.args.duckdb
        for _ in range(self.args.repeat):
            result["canbao"].append(self.run_canbao(folder, truth))
            print(f"  canbao {persons:>11,}: {self.line(result['canbao'][-1])}", flush=True)
            if rivals:
                result["duckdb"].append(self.run_duckdb(folder, truth))
                print(f"  duckdb {persons:>11,}: {self.line(result['duckdb'][-1])}", flush=True)
        return result

    @staticmethod
    def line(run):
        return (f"{run['wall']:.2f} s, CPU {run['cpu']:.2f} s, {run['peak_mb']} MB "
                f"(own {run['peak_anonymous_mb']} MB), others' CPU {run['others_cpu']} s")

    def register(self, persons):
        folder, truth, rows, _ = self.delivery(persons)
        run = self.run_canbao(folder, truth, register=True)
        load = run["load"]
        print(f"  register {persons:,}: {load['rows']:,} rows in {load['seconds']} s = "
              f"{load['rows_per_second']:,} rows/s, keys {load['keys_seconds']} s", flush=True)
        return {"persons": persons, "rows_delivered": rows, **run}


def summary(runs):
    walls = [r["wall"] for r in runs]
    quiet = [r for r in runs if r["others_cpu"] < 0.2 + 0.02 * r["wall"]]
    return {"best": min(walls), "median": statistics.median(walls),
            "cpu_best": min(r["cpu"] for r in runs), "peak_mb": max(r["peak_mb"] for r in runs),
            "own_mb": max(r["peak_anonymous_mb"] for r in runs), "quiet_runs": len(quiet)}


def table(report):
    lines = [f"Last results: {report['made_at']}, {report['machine']}, commit {report['commit']}.", "",
             "| persons | rows | engine | best wall | median | CPU | peak memory (own) | rows/s | "
             "CPU per row | quiet runs |", "|---|---|---|---|---|---|---|---|---|---|"]
    for c in report["compare"]:
        for engine in ("canbao", "duckdb"):
            if not c[engine]:
                continue
            s = summary(c[engine])
            lines.append(
                f"| {c['persons']:,} | {c['rows']:,} | {engine} | {s['best']:.2f} s | "
                f"{s['median']:.2f} s | {s['cpu_best']:.1f} s | {s['peak_mb']} MB "
                f"({s['own_mb']} MB) | {c['rows'] / s['best'] / 1e6:.1f} M | "
                f"{s['cpu_best'] / c['rows'] * 1e9:.0f} ns | {s['quiet_runs']}/{len(c[engine])} |")
    lines.append("")
    for c in report["compare"]:
        if c["duckdb"]:
            lines.append(
                f"At {c['persons']:,} persons DuckDB takes **{c['ratio_wall']:.1f} times** as long "
                f"(best wall), {c['ratio_median']:.1f} times by the median, {c['ratio_cpu']:.1f} "
                "times the CPU; both forms and the control totals are equal.")
    for r in report["register"]:
        load = r["load"]
        lines.append(
            f"Register, {r['persons']:,} persons: {load['rows']:,} rows over all tables in "
            f"{load['seconds']} s = {load['rows_per_second']:,} rows/s, keys {load['keys_seconds']} s.")
    return "\n".join(lines) + "\n"


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    number = lambda text: int(float(text.upper().replace("M", "e6").replace("K", "e3")))
    numbers = lambda text: [number(x) for x in text.split(",") if x]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", default=str(ROOT / "build" / "bench"))
    parser.add_argument("--canbao", default=str(ROOT / "build" / "release" / "bin" / "canbao"))
    parser.add_argument("--persons", type=numbers, default=[1_000_000, 3_000_000, 10_000_000],
                        help="sizes of the comparison, e.g. 1M,3M,10M")
    parser.add_argument("--duckdb", type=numbers, default=[10_000_000],
                        help="sizes at which DuckDB runs too")
    parser.add_argument("--large", action="store_true", help="also 30 M persons (12 GB of files)")
    parser.add_argument("--register", type=numbers, default=[1_000_000, 10_000_000],
                        help="sizes of the load into PostgreSQL; '' for none")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory", default="2G")
    parser.add_argument("--duckdb-memory", default="10GB")
    parser.add_argument("--name", default="latest", help="results/<name>.json")
    args = parser.parse_args()
    if args.large:
        args.persons.append(30_000_000)
    if not os.access(args.canbao, os.X_OK):
        sys.exit(f"{args.canbao}: not there; run make build")
    bench = Bench(args)
    report = {"made_at": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
              "machine": f"{os.cpu_count()} CPUs, {platform.machine()}", "threads": args.threads,
              "memory": args.memory,
              "commit": subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"],
                                       capture_output=True, text=True, check=False).stdout.strip(),
              "compare": [], "register": []}
    for persons in args.persons:
        result = bench.compare(persons)
        if result["duckdb"]:
            ours, theirs = summary(result["canbao"]), summary(result["duckdb"])
            result["ratio_wall"] = round(theirs["best"] / ours["best"], 2)
            result["ratio_median"] = round(theirs["median"] / ours["median"], 2)
            result["ratio_cpu"] = round(theirs["cpu_best"] / ours["cpu_best"], 2)
        report["compare"].append(result)
    for persons in args.register:
        report["register"].append(bench.register(persons))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{args.name}.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    text = table(report)
    (RESULTS / f"{args.name}.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
