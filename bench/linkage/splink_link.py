"""Splink's side of the comparisons, for versions 4 and 5 alike.

    splink_link.py same --config same.toml [--pairs PAIRS.parquet] FILE...
    splink_link.py best --config splink_best.toml --out FOLDER FILE...

`same` scores every pair that the rules of the neutral configuration bring together, with its m and u. `best`
trains as the configuration says, predicts, clusters at each threshold, and writes `clusters-<how>.csv` (id,
cluster). Prints one JSON object: seconds and CPU seconds by step on its own clock, without the start of
Python, the import of the packages and the loading of the files; what is written for the judge is not
in them either.
"""
import argparse
import json
import logging
import pathlib
import re
import resource
import time
import tomllib
import warnings

import duckdb
import splink
import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

VERSION = int(splink.__version__.split(".")[0])


def quiet():
    warnings.simplefilter("ignore")
    logging.getLogger("splink").setLevel(logging.ERROR)


class Clock:
    def __init__(self):
        self.steps = {}

    def __call__(self, step, call):
        wall, cpu = time.perf_counter(), time.process_time()
        value = call()
        mine = self.steps.setdefault(step, {"wall": 0.0, "cpu": 0.0})
        mine["wall"] = round(mine["wall"] + time.perf_counter() - wall, 3)
        mine["cpu"] = round(mine["cpu"] + time.process_time() - cpu, 3)
        return value

    def total(self):
        return {k: round(sum(s[k] for s in self.steps.values()), 3) for k in ("wall", "cpu")}


def ask(con, sql):
    """Fetched to the end: DuckDB lets nothing else onto a connection before."""
    return con.execute(sql).fetchall()


def connect(args):
    con = duckdb.connect()
    ask(con, f"set threads = {args.threads}")
    ask(con, f"set memory_limit = '{args.memory}'")
    ask(con, "set preserve_insertion_order = false")
    if args.temp:
        ask(con, f"set temp_directory = '{args.temp}'")
    return con


def load(con, files, columns=None):
    """Every file as a table under its stem, all text, what is empty null; derived columns beside them."""
    more = "".join(f", {sql} as {name}" for name, sql in (columns or {}).items())
    names = []
    for file in map(pathlib.Path, files):
        ask(con, f"create table {file.stem} as select *{more} "
                 f"from read_csv('{file}', all_varchar = true, header = true)")
        names.append(file.stem)
    rows = sum(ask(con, f"select count(*) from {n}")[0][0] for n in names)
    return names, rows


def make_linker(con, tables, settings, api=None):
    """The one place where the versions differ in what we use of them."""
    api = api or DuckDBAPI(connection=con)
    if VERSION >= 5:
        inputs = [api.register(t, dataset_display_name=t) for t in tables]
        return Linker(inputs if len(inputs) > 1 else inputs[0], settings, log_level=None)
    # Version 4 keeps the alias as the name of a view: the table goes by another one.
    for t in tables:
        ask(con, f"alter table {t} rename to {t}_rows")
    inputs = [f"{t}_rows" for t in tables]
    return Linker(inputs if len(inputs) > 1 else inputs[0], settings, api,
                  input_table_aliases=tables if len(tables) > 1 else tables[0],
                  set_up_basic_logging=False)


def same_level(level, column):
    kind = level["is"]
    if kind == "exact":
        made = cll.ExactMatchLevel(column)
    elif kind == "jaro_winkler":
        made = cll.JaroWinklerLevel(column, level["at_least"])
    elif kind == "levenshtein":
        made = cll.LevenshteinLevel(column, level["at_most"])
    else:
        made = cll.ElseLevel()
    return made.configure(m_probability=level["m"], u_probability=level["u"])


def same_settings(config):
    return SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="id",
        probability_two_random_records_match=config["prior"],
        comparisons=[
            cl.CustomComparison(
                output_column_name=c["column"],
                comparison_levels=[cll.NullLevel(c["column"]),
                                   *(same_level(level, c["column"]) for level in c["levels"])])
            for c in config["comparison"]],
        blocking_rules_to_generate_predictions=[block_on(*rule) for rule in config["blocking"]],
        retain_matching_columns=False,
        retain_intermediate_calculation_columns=False)


def run_same(args, config):
    con = connect(args)
    tables, rows = load(con, args.files)
    ask(con, "create table people as " + " union all ".join(f"from {t}" for t in tables))
    clock = Clock()
    linker = clock("settings", lambda: make_linker(con, ["people"], same_settings(config)))
    keep = {} if args.pairs else {"threshold_match_probability": config["threshold"]}
    scored = clock("predict", lambda: linker.inference.predict(**keep))
    kept = ask(con, f"select count(*) from {scored.physical_name}")[0][0]
    if args.pairs:
        ask(con, f"copy (select least(id_l, id_r) as a, greatest(id_l, id_r) as b, match_weight as weight "
                    f"from {scored.physical_name}) to '{args.pairs}' (format parquet)")
    return {"rows": rows, "pairs_kept": kept, "steps": clock.steps, **clock.total()}


def best_level(level):
    if "null" in level:
        return cll.NullLevel(level["null"])
    if "else" in level:
        return cll.ElseLevel()
    made = cll.CustomLevel(level["sql"])
    if "tf" in level:
        # Splink finds the column of an exact match by itself only in levels that are nothing else.
        made = made.configure(tf_adjustment_column=level["tf"],
                              disable_tf_exact_match_detection=True)
    return made


def predict_rules(config):
    """The blocking rules; none brings two rows of one file together that has each person once."""
    free = config.get("duplicate_free", [])
    if not free:
        return [block_on(*r) for r in config["blocking"]["predict"]]
    apart = " and ".join(f"not (l.source_dataset = '{f}' and r.source_dataset = '{f}')" for f in free)
    sides = [[re.sub(r"\b([a-z_]+)\b(?!\()", side + r".\1", e) for e in rule]
             for side in "lr" for rule in config["blocking"]["predict"]]
    n = len(sides) // 2
    return [" and ".join(f"{a} = {b}" for a, b in zip(left, right)) + f" and {apart}"
            for left, right in zip(sides[:n], sides[n:])]


def best_settings(config):
    return SettingsCreator(
        link_type=config["link_type"],
        unique_id_column_name="id",
        comparisons=[cl.CustomComparison(output_column_name=c["name"],
                                         comparison_levels=[best_level(x) for x in c["levels"]])
                     for c in config["comparison"]],
        blocking_rules_to_generate_predictions=predict_rules(config),
        retain_matching_columns=False,
        retain_intermediate_calculation_columns=False)


def train(linker, training, clock):
    clock("prior", lambda: linker.training.estimate_probability_two_random_records_match(
        [r if isinstance(r, str) else block_on(*r) for r in training["deterministic"]],
        recall=training["recall"]))
    clock("u", lambda: linker.training.estimate_u_using_random_sampling(
        max_pairs=training["u_max_pairs"], seed=training["seed"]))
    for rule in training["em"]:
        clock("em", lambda rule=rule: linker.training.estimate_parameters_using_expectation_maximisation(
            block_on(*rule), estimate_without_term_frequencies=True))


def cluster(con, scored, how, call, clock, out):
    made = clock(how, lambda: call(scored))
    ask(con, f"copy (select id, cluster_id as cluster from {made.physical_name}) "
                f"to '{out / f'clusters-{how}.csv'}' (header)")


def run_best(args, config):
    con = connect(args)
    tables, rows = load(con, args.files, config.get("columns"))
    out = pathlib.Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    clock, beside = Clock(), Clock()
    decision = config["decision"]
    linker = clock("settings", lambda: make_linker(con, tables, best_settings(config)))
    train(linker, config["training"], clock)
    scored = clock("predict", lambda: linker.inference.predict(
        threshold_match_probability=decision["keep"]))
    kept = ask(con, f"select count(*) from {scored.physical_name}")[0][0]
    (out / "model.json").write_text(json.dumps(linker.misc.save_model_to_json(), indent=1),
                                    encoding="utf-8")
    free, clustering = config.get("duplicate_free"), linker.clustering
    for at in (decision["threshold"], *decision["others"]):
        decides = at == decision["threshold"]
        cluster(con, scored, f"components-{at}",
                lambda s, at=at: clustering.cluster_pairwise_predictions_at_threshold(
                    s, threshold_match_probability=at),
                clock if decides and not free else beside, out)
        if free:
            cluster(con, scored, f"single_best-{at}",
                    lambda s, at=at: clustering.cluster_using_single_best_links(
                        s, duplicate_free_datasets=free, threshold_match_probability=at),
                    clock if decides else beside, out)
    return {"rows": rows, "pairs_kept": kept, "steps": clock.steps, "beside": beside.steps,
            **clock.total()}


def main():
    quiet()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=["same", "best"])
    parser.add_argument("files", nargs="+")
    parser.add_argument("--config", required=True)
    parser.add_argument("--pairs")
    parser.add_argument("--out")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory", default="10GB")
    parser.add_argument("--temp")
    args = parser.parse_args()
    config = tomllib.loads(pathlib.Path(args.config).read_text(encoding="utf-8"))
    result = run_same(args, config) if args.what == "same" else run_best(args, config)
    print(json.dumps({"engine": f"splink {splink.__version__}, duckdb {duckdb.__version__}",
                      "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, **result}))


if __name__ == "__main__":
    main()
