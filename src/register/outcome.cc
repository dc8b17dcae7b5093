#include "register/outcome.h"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <fstream>
#include <sstream>

#include "base/digest.h"

namespace canbao::reg {
namespace {

namespace json = boost::json;

// Values are read leniently: a number may be written as text ("330000") and the other way round.
std::string TextOf(const json::object& o, const char* name) {
  const json::value* v = o.if_contains(name);
  if (v == nullptr || v->is_null()) return {};
  if (v->is_string()) return std::string(v->get_string());
  return json::serialize(*v);
}

int64_t IntOf(const json::object& o, const char* name) {
  const json::value* v = o.if_contains(name);
  if (v == nullptr) return 0;
  if (v->is_int64()) return v->get_int64();
  if (v->is_uint64()) return static_cast<int64_t>(v->get_uint64());
  if (v->is_double()) return static_cast<int64_t>(v->get_double());
  int64_t n = 0;
  if (v->is_string()) {
    const auto& s = v->get_string();
    std::from_chars(s.data(), s.data() + s.size(), n);
  }
  return n;
}

tl::unexpected<Error> Unreadable(const std::string& path, Text why) {
  return Fail(
      Error{ErrorClass::kInput, "CB-REGISTER-0502",
            Msg("运行清单无法读取：{0}", "the run's manifest cannot be read: {0}", why.Get()),
            Msg("请重新运行比对。", "Run the comparison again."), path, 0, 0});
}

}  // namespace

std::string RunManifest::ContentDigest() const {
  Sha256 h;
  auto put = [&](const std::string& s) { h.Update(std::to_string(s.size()) + ":" + s + ";"); };
  put(std::to_string(province));
  put(std::to_string(cutoff.yyyymmdd()));
  put(rules);
  for (const RunExtract& e : extracts) {
    for (const std::string& s : {e.file, e.kind, e.source, e.stage, e.sha256, e.outcomes}) put(s);
    for (int64_t n : {static_cast<int64_t>(e.region), e.rows_in, e.linked, e.unlinked, e.rejected,
                      e.reference}) {
      put(std::to_string(n));
    }
  }
  for (const auto& [name, table] : tables) {
    put(name);
    put(std::to_string(table.rows));
    put(table.sha256);
  }
  return h.FinishHex();
}

Result<RunManifest> ReadManifest(const std::string& run_dir) {
  std::string path = run_dir + "/manifest.json";
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    return Fail(Error{ErrorClass::kInput, "CB-REGISTER-0501",
                      Msg("运行没有完成：缺少 manifest.json。",
                          "the run is not finished: it has no manifest.json."),
                      Msg("请重新运行 canbao compare，它会从断点继续。",
                          "Run `canbao compare` again: it resumes."),
                      path, 0, 0});
  }
  std::stringstream words;
  words << in.rdbuf();
  RunManifest m;
  m.text = words.str();
  boost::system::error_code ec;
  json::value root = json::parse(m.text, ec);
  if (ec || !root.is_object()) return Unreadable(path, Msg("{0}", "{0}", ec.message()));
  const json::object& o = root.get_object();
  m.run = TextOf(o, "run");
  m.province = static_cast<uint32_t>(IntOf(o, "province"));
  m.cutoff = ParseIsoDate(TextOf(o, "cutoff"));
  m.made_at = TextOf(o, "made_at");
  m.rules = TextOf(o, "rules");
  m.previous_run = TextOf(o, "previous_run");
  m.result_digest = TextOf(o, "result_digest");
  if (m.run.empty() || m.province == 0 || !m.cutoff.has_value()) {
    return Unreadable(path, Msg("缺少 run、province 或 cutoff", "run, province or cutoff missing"));
  }
  const json::value* extracts = o.if_contains("extracts");
  if (extracts == nullptr || !extracts->is_array()) {
    return Unreadable(path, Msg("缺少 extracts", "no extracts"));
  }
  for (const json::value& v : extracts->get_array()) {
    if (!v.is_object()) return Unreadable(path, Msg("extracts", "extracts"));
    const json::object& e = v.get_object();
    RunExtract x;
    x.ordinal = static_cast<uint32_t>(IntOf(e, "ordinal"));
    x.file = TextOf(e, "file");
    x.kind = TextOf(e, "kind");
    x.source = TextOf(e, "source");
    x.stage = TextOf(e, "stage");
    x.region = static_cast<uint32_t>(IntOf(e, "region"));
    x.sha256 = TextOf(e, "sha256");
    x.rows_in = IntOf(e, "rows_in");
    x.linked = IntOf(e, "linked");
    x.unlinked = IntOf(e, "unlinked");
    x.rejected = IntOf(e, "rejected");
    x.reference = IntOf(e, "reference");
    const json::value* outcomes = e.if_contains("outcomes");
    x.outcomes = outcomes == nullptr ? "{}" : json::serialize(*outcomes);
    if (x.rows_in != x.linked + x.unlinked + x.rejected + x.reference) {
      return Fail(Error{ErrorClass::kInternal,
                        "CB-REGISTER-0503",
                        Msg("{0} 的行数不平衡：{1} ≠ {2} + {3} + {4} + {5}",
                            "the account of {0} does not balance: {1} ≠ {2} + {3} + {4} + {5}",
                            x.file, x.rows_in, x.linked, x.unlinked, x.rejected, x.reference),
                        {},
                        path,
                        0,
                        0});
    }
    m.extracts.push_back(std::move(x));
  }
  std::sort(m.extracts.begin(), m.extracts.end(),
            [](const RunExtract& a, const RunExtract& b) { return a.ordinal < b.ordinal; });
  // Tables: an object by name, or a list of objects with a name.
  const json::value* tables = o.if_contains("tables");
  auto add = [&](const std::string& name, const json::value& v) {
    if (!v.is_object()) return;
    m.tables[name] = {IntOf(v.get_object(), "rows"), TextOf(v.get_object(), "sha256")};
  };
  if (tables != nullptr && tables->is_object()) {
    for (const auto& kv : tables->get_object()) add(std::string(kv.key()), kv.value());
  } else if (tables != nullptr && tables->is_array()) {
    for (const json::value& v : tables->get_array()) {
      if (!v.is_object()) continue;
      std::string name = TextOf(v.get_object(), "name");
      add(name.empty() ? TextOf(v.get_object(), "table") : name, v);
    }
  }
  if (m.tables.empty()) return Unreadable(path, Msg("缺少 tables", "no tables"));
  if (const json::value* p = o.if_contains("persons"); p != nullptr && p->is_object()) {
    const json::object& persons = p->get_object();
    m.persons = IntOf(persons, "count");
    for (const char* name : {"highest_key", "highest", "highest key", "max_key"}) {
      if (persons.if_contains(name) != nullptr) {
        m.highest_key = static_cast<uint64_t>(IntOf(persons, name));
      }
    }
  }
  return m;
}

std::vector<std::string> ShardFiles(const std::string& run_dir, const std::string& table) {
  std::vector<std::string> files;
  int shards = table == "figure" ? 1 : kShards;
  for (int i = 0; i < shards; ++i) {
    files.push_back(fmt::format("{}/{}.{:02}.rows", run_dir, table, i));
  }
  return files;
}

}  // namespace canbao::reg
