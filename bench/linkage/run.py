"""Canbao's linkage beside Splink 4 and 5 on DuckDB. What is compared and how to read it: README.md.

    run.sh [--parts a,b,c] [--same 100K,1M] [--best 10K,100K,1M] [--repeat N] [--fake-1000 FOLDER] [--name NAME]

Makes the tables once, runs the engines in turn on the same files, refuses to compare (a) unless they scored
the same pairs, and writes bench/linkage/results/<name>.json and .md.
"""
import argparse
import csv
import datetime
import importlib.util
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import subprocess
import sys
import tomllib

import duckdb

from evaluate import judge, read

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
spec = importlib.util.spec_from_file_location("macro_bench", ROOT / "bench" / "run.py")
macro = importlib.util.module_from_spec(spec)
spec.loader.exec_module(macro)

VERSIONS = ("splink5", "splink4")
FILES = ("register", "scheme")


def canbao_model(config):
    """The neutral configuration in Canbao's words. Hot blocks are not split: Splink does not either."""
    lines = ["version = 1", 'name = "same"', 'id = "id"']
    for c in config["comparison"]:
        lines += ["", "[[comparison]]", f'name = "{c["column"]}"', "level = ["]
        for level in c["levels"]:
            kind = level["is"]
            test = "else = true" if kind == "else" else f'{kind} = "{c["column"]}"'
            test += "".join(f", {k} = {level[k]}" for k in ("at_least", "at_most") if k in level)
            lines.append(f"  {{ {test}, m = {level['m']:.9g}, u = {level['u']:.9g} }},")
        lines.append("]")
    for rule in config["blocking"]:
        lines += ["", "[[blocking]]", f"on = {json.dumps(rule)}", "hot = 2147483647"]
    lines += ["", "[training]", f"prior = {config['prior']:.12f}", "", "[decision]",
              f"probability = {config['threshold']}", 'clustering = "components"']
    return "\n".join(lines) + "\n"


class Bench:
    def __init__(self, args):
        self.args = args
        self.dir = pathlib.Path(args.dir).resolve()
        self.canbao = pathlib.Path(args.canbao).resolve()
        self.ours = os.access(self.canbao, os.X_OK)

    def people(self, persons, seed):
        folder = self.dir / f"people-{persons}-{seed}"
        if not (folder / "truth.csv").exists():
            print(f"making {folder} …", flush=True)
            macro.measure([sys.executable, HERE / "make_people.py", "--persons", str(persons), "--seed",
                           str(seed), "--out", folder])
        return folder, [folder / f"{f}.csv" for f in FILES]

    def splink(self, version, script, *options):
        """Its own clock and CPU seconds, without the start and the loading, in its favour."""
        python = self.dir / version / "bin" / "python"
        temp = self.dir / "temp"
        run = macro.measure([python, HERE / script, *options] + (
            ["--temp", temp, "--threads", str(self.args.threads), "--memory", self.args.memory]
            if script == "splink_link.py" else []))
        shutil.rmtree(temp, ignore_errors=True)
        answer = json.loads(run.pop("output").strip().splitlines()[-1])
        run["process_wall"], run["process_cpu"] = run.pop("wall"), run.pop("cpu")
        return {**run, **answer}

    def link(self, model, files, out, *options):
        """The whole process, from its start to its end: it reads the files and writes the links."""
        out.mkdir(parents=True, exist_ok=True)
        run = macro.measure([self.canbao, "--lang", "en", "link", "--model", model, *files, "--links",
                             out / "links.csv", "--report", out / "report.json", "--quiet",
                             "--threads", str(self.args.threads), *options])
        run["printed"] = run.pop("output").strip().splitlines()
        found = re.search(r"([\d,]+) pairs in all, ([\d,]+) compared", "\n".join(run["printed"]))
        if not found:
            sys.exit("canbao link did not print how many pairs it compared:\n" + "\n".join(run["printed"]))
        run["pairs"] = int(found.group(2).replace(",", ""))
        return run

    # (a)

    def same(self, persons):
        config = tomllib.loads((HERE / "same.toml").read_text(encoding="utf-8"))
        folder, files = self.people(persons, self.args.seed)
        result = {"persons": persons, "rows": len(read(folder / "truth.csv")),
                  "runs": {v: [] for v in self.args.splink}}
        work = self.dir / "same"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        model = work / "model.toml"
        model.write_text(canbao_model(config), encoding="utf-8")
        for version in self.args.splink:
            pairs = work / f"{version}.parquet"
            run = self.splink(version, "splink_link.py", "same", "--config", HERE / "same.toml",
                              "--pairs", pairs, *files)
            result["pairs"] = run["pairs_kept"]
            result.setdefault("keeping_all", {})[version] = run
            print(f"  {version} {persons:,}, every pair kept: {self.line(run, result['pairs'])}", flush=True)
        if self.ours:
            result["runs"]["canbao"] = []
            run = self.link(model, files, work / "canbao", "--pairs", work / "canbao.csv",
                            "--pairs-below", "200")
            result["pairs"] = run["pairs"]
            result.setdefault("keeping_all", {})["canbao"] = run
            result["agreement"] = self.agree(work, config["tolerance_bits"])
        for file in work.glob("*.parquet"):
            file.unlink()
        for _ in range(self.args.repeat):
            for engine, runs in result["runs"].items():
                runs.append(self.link(model, files, work / "canbao") if engine == "canbao" else
                            self.splink(engine, "splink_link.py", "same", "--config", HERE / "same.toml",
                                        *files))
                print(f"  {engine} {persons:,}: {self.line(runs[-1], result['pairs'])}", flush=True)
        shutil.rmtree(work, ignore_errors=True)
        return result

    def agree(self, work, tolerance):
        """Our pairs against those of each version: none more, none less, the same weights."""
        con = duckdb.connect()
        con.execute(f"set threads = {self.args.threads}").fetchall()
        con.execute(f"set memory_limit = '{self.args.memory}'").fetchall()
        con.execute(f"set temp_directory = '{self.dir / 'temp'}'").fetchall()
        ours = work / "canbao.csv"
        con.execute(
            f"create table ours as select least(id_a, id_b) as a, greatest(id_a, id_b) as b, "
            f"weight::double as weight from read_csv('{ours}', all_varchar = true, header = true)").fetchall()
        ours.unlink()
        out = {}
        for version in self.args.splink:
            more, less, apart, most, both = con.execute(
                f"select count(*) filter (t.a is null), count(*) filter (o.a is null), "
                f"count(*) filter (abs(o.weight - t.weight) > {tolerance}), "
                f"max(abs(o.weight - t.weight)), count(*) filter (o.a is not null and t.a is not null) "
                f"from ours o full join read_parquet('{work / version}.parquet') t "
                f"on o.a = t.a and o.b = t.b").fetchall()[0]
            out[version] = {"pairs_of_both": both, "ours_only": more, "theirs_only": less,
                            "weights_apart": apart, "largest_difference_bits": most}
            print(f"  ours and {version}: {out[version]}", flush=True)
            if more or less or apart:
                sys.exit(f"the pairs of canbao and {version} differ: nothing to compare")
        return out

    @staticmethod
    def line(run, pairs=None):
        text = (f"{run['wall']:.2f} s, CPU {run['cpu']:.2f} s, {run['peak_mb']} MB, others' CPU "
                f"{run['others_cpu']} s")
        return text + (f", {run['cpu'] / pairs * 1e9:.0f} ns CPU a pair" if pairs else "")

    # (b)

    def best(self, persons):
        folder, files = self.people(persons, self.args.seed)
        truth = read(folder / "truth.csv")
        config = tomllib.loads((HERE / "splink_best.toml").read_text(encoding="utf-8"))
        how = "single_best" if config.get("duplicate_free") else "components"
        decides = f"{how}-{config['decision']['threshold']}"
        result = {"persons": persons, "rows": len(truth), "decides": decides, "runs": {}}
        for version in self.args.splink:
            out = self.dir / f"best-{version}"
            shutil.rmtree(out, ignore_errors=True)
            run = self.splink(version, "splink_link.py", "best", "--config", HERE / "splink_best.toml",
                              "--out", out, *files)
            run["judged"] = {f.stem.removeprefix("clusters-"): judge(truth, read(f))
                             for f in sorted(out.glob("clusters-*.csv"))}
            run["quality"] = run["judged"][decides]
            result["runs"][version] = run
            print(f"  {version} {persons:,}: {self.line(run)}, {self.figures(run['quality'])}", flush=True)
            shutil.rmtree(out, ignore_errors=True)
        if self.ours:
            out = self.dir / "best-canbao"
            run = self.link(HERE / "models" / "best.toml", files, out)
            run["quality"] = judge(truth, self.links(out / "links.csv"))
            result["runs"]["canbao"] = run
            print(f"  canbao {persons:,}: {self.line(run)}, {self.figures(run['quality'])}", flush=True)
            shutil.rmtree(out, ignore_errors=True)
        return result

    @staticmethod
    def links(path):
        with open(path, encoding="utf-8", newline="") as f:
            return {row["id"]: row["person"] for row in csv.DictReader(f)}

    @staticmethod
    def figures(q):
        return f"precision {q['precision']:.5f}, recall {q['recall']:.5f}, F1 {q['f1']:.5f}"

    # (c)

    def public(self):
        result = {}
        for version in self.args.splink:
            options = ["--fake-1000", self.args.fake_1000] if self.args.fake_1000 else []
            result[version] = self.splink(version, "splink_public.py", *options)
            for name, s in result[version]["sets"].items():
                print(f"  {version} {name}: {self.figures(s)}", flush=True)
            for name, why in result[version]["left_out"].items():
                print(f"  {name} is left out: {why}", flush=True)
        return result


def lowest(runs, key):
    return min(r[key] for r in runs)


def table(report):
    out = [f"Last results: {report['made_at']}, {report['machine']}, {report['threads']} threads, commit "
           f"{report['commit']}. {'; '.join(report['engines'].values())}.", ""]
    if report["same"]:
        out += ["## (a) Same fields, rules, m and u", "",
                "| persons | rows | pairs | engine | best wall | best CPU | CPU a pair | pairs/s and core | "
                "peak memory | others' CPU |", "|---|---|---|---|---|---|---|---|---|---|"]
        for s in report["same"]:
            for engine, runs in s["runs"].items():
                cpu = lowest(runs, "cpu")
                out.append(f"| {s['persons']:,} | {s['rows']:,} | {s['pairs']:,} | {engine} | "
                           f"{lowest(runs, 'wall'):.2f} s | {cpu:.2f} s | {cpu / s['pairs'] * 1e9:,.0f} ns | "
                           f"{s['pairs'] / cpu / 1e6:.2f} M | {max(r['peak_mb'] for r in runs)} MB | "
                           f"{', '.join(str(r['others_cpu']) for r in runs)} s |")
        out.append("")
        for s in report["same"]:
            if "canbao" not in s["runs"]:
                continue
            for version, a in s["agreement"].items():
                ratio = lowest(s["runs"][version], "cpu") / lowest(s["runs"]["canbao"], "cpu")
                out.append(f"At {s['persons']:,} persons {version} takes **{ratio:.1f} times** the CPU of "
                           f"canbao a pair; the {a['pairs_of_both']:,} pairs are equal, their weights differ by "
                           f"at most {a['largest_difference_bits']:.3f} bits.")
        out.append("")
    if report["best"]:
        out += ["## (b) Each at its best, persons without numbers", "",
                "| persons | rows | engine | precision | recall | F1 | 1 − F1 | B-cubed F1 | wall | CPU | "
                "peak memory | others' CPU |", "|---|---|---|---|---|---|---|---|---|---|---|---|"]
        for b in report["best"]:
            for engine, run in b["runs"].items():
                q = run["quality"]
                out.append(f"| {b['persons']:,} | {b['rows']:,} | {engine} | {q['precision']:.5f} | "
                           f"{q['recall']:.5f} | {q['f1']:.5f} | {1 - q['f1']:.5f} | {q['bcubed_f1']:.5f} | "
                           f"{run['wall']:.1f} s | {run['cpu']:.1f} s | {run['peak_mb']} MB | "
                           f"{run['others_cpu']} s |")
        out.append("")
        for b in report["best"]:
            ours = b["runs"].get("canbao")
            for version, run in b["runs"].items():
                if version == "canbao":
                    continue
                steps = ", ".join(f"{k} {s['cpu']:.1f}" for k, s in run["steps"].items())
                out.append(f"{version} at {b['persons']:,} persons, CPU seconds by step: {steps}. F1 of its "
                           "other thresholds and clusterings: " +
                           ", ".join(f"{k} {q['f1']:.5f}" for k, q in run["judged"].items()) + ".")
                if ours:
                    wrong = (1 - ours["quality"]["f1"]) / (1 - run["quality"]["f1"])
                    least = min(1 - q["f1"] for q in run["judged"].values())
                    out.append(f"Canbao's 1 − F1 is **{wrong:.2f}** of it ({(1 - ours['quality']['f1']) / least:.2f}"
                               f" of that of its best threshold, seen afterwards), its time 1/"
                               f"**{run['cpu'] / ours['cpu']:.0f}** (CPU), 1/{run['wall'] / ours['wall']:.0f} "
                               "(wall).")
                out.append("")
    if report["public"]:
        out += ["## (c) Public sets, labels unseen: Splink", "",
                "| set | engine | threshold | precision | recall | F1 | F1 at other thresholds | CPU |",
                "|---|---|---|---|---|---|---|---|"]
        for version, p in report["public"].items():
            for name, s in p["sets"].items():
                others = ", ".join(f"{at}: {f:.4f}" for at, f in s["f1_at"].items())
                out.append(f"| {name} | {version} | {s['threshold']} | {s['precision']:.5f} | "
                           f"{s['recall']:.5f} | {s['f1']:.5f} | {others} | {s['cpu']:.1f} s |")
            for name, why in p["left_out"].items():
                out.append(f"| {name} | {version} | left out: {why} | | | | | |")
    return "\n".join(out).rstrip() + "\n"


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        names = [line.split(":", 1)[1].strip() for line in f if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2 ** 30
    return f"{os.cpu_count()} CPUs, {platform.machine()}, {names[0] if names else 'unknown'}, {memory:.0f} GB"


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    number = lambda text: int(float(text.upper().replace("M", "e6").replace("K", "e3")))
    numbers = lambda text: [number(x) for x in text.split(",") if x]
    words = lambda text: [x for x in text.split(",") if x]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--dir", default=str(ROOT / "build" / "bench-linkage"))
    parser.add_argument("--canbao", default=str(ROOT / "build" / "release" / "bin" / "canbao"))
    parser.add_argument("--parts", type=words, default=["a", "b", "c"])
    parser.add_argument("--same", type=numbers, default=[100_000, 1_000_000], help="sizes of (a)")
    parser.add_argument("--best", type=numbers, default=[10_000, 100_000, 1_000_000], help="sizes of (b)")
    parser.add_argument("--splink", type=words, default=list(VERSIONS))
    parser.add_argument("--repeat", type=int, default=2, help="of (a)")
    parser.add_argument("--seed", type=int, default=1, help="of the invented people")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory", default="10GB", help="DuckDB's limit")
    parser.add_argument("--fake-1000", help="folder of fake_1000.csv; without, that set is left out")
    parser.add_argument("--name", default="latest", help="results/<name>.json")
    args = parser.parse_args()
    bench = Bench(args)
    if not bench.ours:
        print(f"{args.canbao}: not there (make build); Splink alone is measured", flush=True)
    report = {"made_at": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
              "machine": processor(), "threads": args.threads, "memory": args.memory, "seed": args.seed,
              "commit": subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"],
                                       capture_output=True, text=True, check=False).stdout.strip(),
              "engines": {}, "same": [], "best": [], "public": {}}
    if bench.ours:
        report["engines"]["canbao"] = subprocess.run(
            [bench.canbao, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    for persons in args.same if "a" in args.parts else []:
        report["same"].append(bench.same(persons))
        write(report, args)
    for persons in args.best if "b" in args.parts else []:
        report["best"].append(bench.best(persons))
        write(report, args)
    if "c" in args.parts:
        report["public"] = bench.public()
    print(write(report, args))


def write(report, args):
    """What has been measured so far: a run of hours that is stopped leaves it."""
    for version in args.splink:
        seen = ([s["keeping_all"][version] for s in report["same"]] +
                [b["runs"][version] for b in report["best"]] +
                [p for v, p in report["public"].items() if v == version])
        if seen:
            report["engines"][version] = seen[0]["engine"]
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    (results / f"{args.name}.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    text = table(report)
    (results / f"{args.name}.md").write_text(text, encoding="utf-8")
    return text


if __name__ == "__main__":
    main()
