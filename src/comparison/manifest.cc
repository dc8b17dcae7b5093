#include "comparison/manifest.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/file.h"

namespace canbao::comparison {
namespace {

namespace json = boost::json;
using extract::ExtractAccount;

json::array PopulationJson(const std::vector<Population>& population) {
  json::array out;
  for (const Population& p : population) out.push_back(json::array{p.division, p.year, p.people});
  return out;
}

std::vector<Population> PopulationFrom(const json::array& rows) {
  std::vector<Population> out;
  for (const json::value& v : rows) {
    const json::array& a = v.as_array();
    out.push_back({a.at(0).to_number<uint64_t>(), a.at(1).to_number<uint16_t>(),
                   a.at(2).to_number<uint64_t>()});
  }
  return out;
}

json::object AccountJson(const ExtractAccount& a) {
  return {{"rows_in", a.rows_in},
          {"accepted", a.accepted},
          {"rejected", a.rejected},
          {"bytes", a.bytes},
          {"unmapped_states", a.unmapped_states},
          {"digest", a.digest},
          {"sha256", a.sha256},
          {"encoding", a.encoding},
          {"delimiter", std::string(1, a.delimiter)},
          {"header", a.header}};
}

uint64_t U64(const json::object& o, const char* key) { return o.at(key).to_number<uint64_t>(); }
std::string Str(const json::object& o, const char* key) {
  return std::string(o.at(key).as_string());
}

ExtractAccount AccountFrom(const json::object& o) {
  ExtractAccount a;
  a.rows_in = U64(o, "rows_in");
  a.accepted = U64(o, "accepted");
  a.rejected = U64(o, "rejected");
  a.bytes = U64(o, "bytes");
  a.unmapped_states = U64(o, "unmapped_states");
  a.digest = Str(o, "digest");
  a.sha256 = Str(o, "sha256");
  a.encoding = Str(o, "encoding");
  a.delimiter = Str(o, "delimiter").front();
  a.header = Str(o, "header");
  return a;
}

Error Broken(const std::string& path, const std::string& why) {
  return Error{ErrorClass::kEnvironment,
               "CB-COMPARISON-0010",
               Msg("运行清单已损坏：{0}", "the manifest of a run is damaged: {0}", why),
               Text{"请从备份恢复该文件。", "restore the file from a backup."},
               path,
               0,
               0};
}

json::object ExtractJson(const ExtractResult& e) {
  json::object o = AccountJson(e.account);
  o["ordinal"] = e.ordinal;
  o["file"] = e.spec.file;
  o["path"] = e.spec.path;
  o["kind"] = extract::KindName(e.spec.kind);
  o["source"] = e.spec.source;
  o["stage"] = extract::StageName(e.spec.stage);
  o["region"] = e.spec.region;
  o["scheme"] = e.spec.scheme;
  o["delta"] = e.spec.delta;
  o["linked"] = e.linked;
  o["unlinked"] = e.unlinked;
  o["reference"] = e.reference;
  json::object outcomes;
  for (int i = 1; i < kOutcomes; ++i) {
    outcomes[OutcomeName(static_cast<Outcome>(i))] = e.outcomes[static_cast<size_t>(i)];
  }
  o["outcomes"] = std::move(outcomes);
  return o;
}

ExtractResult ExtractFrom(const json::object& o) {
  ExtractResult e;
  e.account = AccountFrom(o);
  e.ordinal = static_cast<uint16_t>(U64(o, "ordinal"));
  e.spec.file = Str(o, "file");
  e.spec.path = Str(o, "path");
  bool known = false;
  e.spec.kind = extract::KindFromName(Str(o, "kind"), &known);
  e.spec.source = Str(o, "source");
  for (int s = 0; s < 4; ++s) {
    if (extract::StageName(static_cast<extract::Stage>(s)) == o.at("stage").as_string()) {
      e.spec.stage = static_cast<extract::Stage>(s);
    }
  }
  e.spec.region = static_cast<uint32_t>(U64(o, "region"));
  e.spec.scheme = static_cast<scheme::SchemeCode>(U64(o, "scheme"));
  e.spec.delta = o.at("delta").as_bool();
  e.linked = U64(o, "linked");
  e.unlinked = U64(o, "unlinked");
  e.reference = U64(o, "reference");
  const json::object& outcomes = o.at("outcomes").as_object();
  for (int i = 1; i < kOutcomes; ++i) {
    e.outcomes[static_cast<size_t>(i)] =
        outcomes.at(OutcomeName(static_cast<Outcome>(i))).to_number<uint64_t>();
  }
  return e;
}

constexpr std::array<const char*, kVerdicts> kVerdictNames = {
    "", "linked", "confirmed", "review", "apart", "unlikely", "second"};

json::object ByVerdict(const std::array<uint64_t, kVerdicts>& counts) {
  json::object o;
  for (size_t v = 1; v < kVerdicts; ++v) o[kVerdictNames[v]] = counts[v];
  return o;
}

json::array BySize(const std::map<uint64_t, uint64_t>& sizes) {
  json::array out;
  for (const auto& [size, count] : sizes) {
    out.push_back(json::object{{"groups", size}, {"count", count}});
  }
  return out;
}

// docs/formats/linkage-report.md
json::object LinkageJson(const CompareResult& r) {
  const LinkStatistics& s = r.repair.statistics;
  constexpr auto kMillion = 1e6;
  json::object o;
  o["persons"] = s.persons;
  json::object seekers;
  for (size_t k = 0; k < 2; ++k) {
    seekers[k == 0 ? "no_number" : "unverified"] =
        json::object{{"groups", s.seekers[k]},
                     {"with_candidates", s.with_candidates[k]},
                     {"share", static_cast<double>(s.share[k]) / static_cast<double>(kOne)}};
  }
  o["seekers"] = std::move(seekers);
  json::array by_rule;
  uint64_t compared = 0;
  for (size_t i = 0; i < kBlockingRules; ++i) {
    compared += s.pairs_by_rule[i];
    by_rule.push_back(json::object{{"rule", i + 1},
                                   {"zh", BlockingRules()[i].zh},
                                   {"en", BlockingRules()[i].en},
                                   {"pairs", s.pairs_by_rule[i]}});
  }
  o["pairs"] = json::object{{"compared", compared}, {"scored", s.pairs}, {"by_rule", by_rule}};
  json::array candidates;
  for (size_t i = 0; i < s.candidates.size(); ++i) {
    if (s.candidates[i] == 0) continue;
    const uint64_t to = i < 2 ? i : uint64_t{1} << (i - 1);
    candidates.push_back(
        json::object{{"from", i < 3 ? to : to / 2 + 1}, {"to", to}, {"seekers", s.candidates[i]}});
  }
  o["candidates"] = std::move(candidates);
  json::array odds;
  for (const auto& [bits, counts] : s.odds) {
    json::object row = ByVerdict(counts);
    row["bits"] = bits;
    odds.push_back(std::move(row));
  }
  o["odds"] = std::move(odds);
  o["verdicts"] = ByVerdict(s.verdicts);
  o["expected_wrong"] = static_cast<double>(s.expected_wrong) / kMillion;
  o["expected_wrong_limit"] = static_cast<double>(s.limit) / kMillion;
  o["decisions_applied"] = s.labels;
  o["clusters"] = BySize(s.clusters);
  o["components"] = BySize(s.components);
  std::vector<const ExtractResult*> by_ordinal(r.extracts.size());
  for (const ExtractResult& e : r.extracts) by_ordinal[e.ordinal] = &e;
  json::array learned;
  for (const LinkStatistics::Learned& l : s.learned) {
    const ExtractResult& e = *by_ordinal[l.source];
    const FieldName& field = FieldNames()[static_cast<size_t>(l.field)];
    learned.push_back(json::object{{"file", e.spec.file},
                                   {"source", e.spec.source},
                                   {"kind", extract::KindName(e.spec.kind)},
                                   {"field", field.key},
                                   {"level", field.levels[l.level - 1u].key},
                                   {"rows", l.seen},
                                   {"m", static_cast<double>(l.m) / kMillion}});
  }
  o["m"] = std::move(learned);
  return o;
}

}  // namespace

std::string ManifestOf(const CompareResult& r, const std::string& fingerprint) {
  json::object o;
  o["run"] = r.run;
  o["format"] = 1;
  o["province"] = r.province;
  o["cutoff"] = r.cutoff.ToIso();
  o["rules"] = r.rules;
  o["key"] = fingerprint;
  o["persons"] = json::object{{"count", r.persons}, {"highest_key", r.highest_key}};
  o["settlements"] = r.settlements;
  json::array extracts;
  for (const ExtractResult& e : r.extracts) extracts.push_back(ExtractJson(e));
  o["extracts"] = std::move(extracts);
  json::object tables;
  for (const auto& [name, t] : r.tables) {
    tables[name] = json::object{{"rows", t.rows}, {"sha256", t.sha256}};
  }
  o["tables"] = std::move(tables);
  json::array discrepancies;
  for (uint64_t n : r.discrepancies) discrepancies.push_back(n);
  o["discrepancies"] = std::move(discrepancies);
  o["repair"] = json::object{{"probes", r.repair.probes},
                             {"repaired", r.repair.repaired},
                             {"by_person_no", r.repair.by_person_no},
                             {"ambiguous", r.repair.ambiguous},
                             {"seekers", r.repair.seekers},
                             {"pairs", r.repair.pairs},
                             {"by_score", r.repair.by_score},
                             {"review", r.repair.review}};
  o["linkage"] = LinkageJson(r);
  o["population"] = PopulationJson(r.population);
  json::array figures;
  for (const auto& [k, n] : r.figures) {
    figures.push_back(json::array{k.county, k.city, k.hukou, k.form, k.column, n});
  }
  o["figures"] = std::move(figures);
  o["result_digest"] = r.result_digest;
  return json::serialize(o) + "\n";
}

Result<CompareResult> ParseManifest(std::string_view text, const std::string& path) {
  try {
    json::object o = json::parse(text).as_object();
    CompareResult r;
    r.run = Str(o, "run");
    r.province = static_cast<uint32_t>(U64(o, "province"));
    r.cutoff = ParseIsoDate(Str(o, "cutoff"));
    r.rules = Str(o, "rules");
    r.persons = U64(o.at("persons").as_object(), "count");
    r.highest_key = U64(o.at("persons").as_object(), "highest_key");
    r.settlements = o.at("settlements").as_bool();
    for (const json::value& v : o.at("extracts").as_array()) {
      r.extracts.push_back(ExtractFrom(v.as_object()));
    }
    for (const auto& kv : o.at("tables").as_object()) {
      const json::object& t = kv.value().as_object();
      r.tables[std::string(kv.key())] = {U64(t, "rows"), Str(t, "sha256")};
    }
    const json::array& discrepancies = o.at("discrepancies").as_array();
    for (size_t i = 0; i < r.discrepancies.size() && i < discrepancies.size(); ++i) {
      r.discrepancies[i] = discrepancies[i].to_number<uint64_t>();
    }
    const json::object& repair = o.at("repair").as_object();
    r.repair.probes = U64(repair, "probes");
    r.repair.repaired = U64(repair, "repaired");
    r.repair.by_person_no = U64(repair, "by_person_no");
    r.repair.ambiguous = U64(repair, "ambiguous");
    r.repair.seekers = U64(repair, "seekers");
    r.repair.pairs = U64(repair, "pairs");
    r.repair.by_score = U64(repair, "by_score");
    r.repair.review = U64(repair, "review");
    r.population = PopulationFrom(o.at("population").as_array());
    for (const json::value& v : o.at("figures").as_array()) {
      const json::array& a = v.as_array();
      r.figures[FigureKey{a.at(0).to_number<uint32_t>(), a.at(1).to_number<uint32_t>(),
                          a.at(2).to_number<uint8_t>(), a.at(3).to_number<uint8_t>(),
                          a.at(4).to_number<uint8_t>()}] = a.at(5).to_number<uint64_t>();
    }
    r.result_digest = Str(o, "result_digest");
    return r;
  } catch (const std::exception& e) {
    return Fail(Broken(path, e.what()));
  }
}

Result<PreviousRun> ParsePrevious(std::string_view manifest) {
  try {
    json::object o = json::parse(manifest).as_object();
    return PreviousRun{Str(o, "key"), U64(o.at("persons").as_object(), "highest_key")};
  } catch (const std::exception& e) {
    return Fail(Broken("manifest.json", e.what()));
  }
}

Result<CompareResult> ReadRun(const std::string& state_dir, const std::string& run) {
  std::string folder = fmt::format("{}/runs/{}", state_dir, run);
  CANBAO_ASSIGN(std::string text, ReadWholeFile(folder + "/manifest.json"));
  CANBAO_ASSIGN(CompareResult result, ParseManifest(text, folder + "/manifest.json"));
  CANBAO_ASSIGN(PreviousRun self, ParsePrevious(text));
  std::string key_path = fmt::format("{}/keys/{}.key", state_dir, self.fingerprint);
  CANBAO_ASSIGN(std::string key, ReadWholeFile(key_path));
  if (key.size() != result.key.size()) return Fail(Broken(key_path, "size"));
  std::copy(key.begin(), key.end(), result.key.begin());
  result.folder = folder;
  return result;
}

std::string CheckpointOf(const std::vector<ExtractAccount>& accounts,
                         const std::vector<uint32_t>& max_lines,
                         const std::vector<Population>& population, uint64_t highest) {
  json::object o;
  json::array list;
  for (size_t i = 0; i < accounts.size(); ++i) {
    json::object a = AccountJson(accounts[i]);
    a["max_line"] = max_lines[i];
    list.push_back(std::move(a));
  }
  o["accounts"] = std::move(list);
  o["population"] = PopulationJson(population);
  o["highest"] = highest;
  return json::serialize(o) + "\n";
}

bool ParseCheckpoint(std::string_view text, std::vector<ExtractAccount>* accounts,
                     std::vector<uint32_t>* max_lines, std::vector<Population>* population,
                     uint64_t* highest) {
  try {
    json::object o = json::parse(text).as_object();
    accounts->clear();
    max_lines->clear();
    for (const json::value& v : o.at("accounts").as_array()) {
      accounts->push_back(AccountFrom(v.as_object()));
      max_lines->push_back(static_cast<uint32_t>(U64(v.as_object(), "max_line")));
    }
    *population = PopulationFrom(o.at("population").as_array());
    *highest = U64(o, "highest");
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace canbao::comparison
