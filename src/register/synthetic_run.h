// Invented outcome files for this library's tests and its benchmark: a finished run of any size,
// made from a seed, whose figures follow from its persons. Only tests include this.
#pragma once

#include <array>
#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "base/digest.h"
#include "base/row_file.h"
#include "identity/citizen_number.h"
#include "register/outcome.h"
#include "scheme/person.h"

namespace canbao::reg::synthetic {

struct Options {
  std::string run = "r1";
  uint64_t persons = 1000;
  Date cutoff = Date::FromYmd(2017, 9, 30);
  uint32_t province = 330000;
  int enrolments = 4;  // of each person
  // Told from the plain world: persons whose key % n == 0 …
  uint64_t renamed_every = 0;      // … carry another name
  uint64_t vanished_every = 0;     // … are not there
  uint64_t ended_every = 0;        // … have their first enrolment ended
  std::string file_digest = "aa";  // of the extracts: another value is another delivery
  uint32_t first_line = 2;
  uint64_t rejects = 20;
  uint64_t unlinked = 30;
};

// Writes DIR/runs/<run>; the folder.
inline std::string Make(const std::string& dir, const RunKey& key, const Options& o) {
  using T = ColumnType;
  namespace json = boost::json;
  const std::string out = dir + "/runs/" + o.run;
  std::filesystem::create_directories(out);
  struct Table {
    std::vector<std::unique_ptr<RowFileWriter>> shards;
  };
  std::map<std::string, Table> tables;
  auto open = [&](const std::string& name, std::vector<Column> columns) {
    int shards = name == "figure" ? 1 : kShards;
    for (int i = 0; i < shards; ++i) {
      auto w = RowFileWriter::Create(fmt::format("{}/{}.{:02}.rows", out, name, i), {name, columns},
                                     key);
      if (!w) throw std::runtime_error(w.error().ToString());
      tables[name].shards.push_back(std::move(*w));
    }
  };
  open("person", {{"person_key", T::kU64},
                  {"number", T::kU64},
                  {"document", T::kText},
                  {"name", T::kText},
                  {"sex", T::kU8},
                  {"birth", T::kDate},
                  {"in_register", T::kU8},
                  {"confirmed", T::kU8},
                  {"management", T::kU8},
                  {"changed_on", T::kDate},
                  {"hukou", T::kU64},
                  {"hukou_type", T::kU8},
                  {"ethnicity", T::kU8},
                  {"household_no", T::kText},
                  {"relation", T::kText},
                  {"phone", T::kText},
                  {"address", T::kText},
                  {"residence", T::kU64},
                  {"first_ref", T::kU64},
                  {"flags", T::kU32},
                  {"duplicates", T::kU16},
                  {"uncovered", T::kU8},
                  {"form_2_2", T::kU8},
                  {"county", T::kU32},
                  {"city", T::kU32},
                  {"branches", T::kU8},
                  {"verified_number", T::kU8}});
  open("enrolment", {{"person_key", T::kU64},
                     {"row_ref", T::kU64},
                     {"outcome", T::kU8},
                     {"scheme", T::kU16},
                     {"region", T::kU32},
                     {"state", T::kU8},
                     {"state_at_cutoff", T::kU8},
                     {"enrolled_on", T::kDate},
                     {"ended_on", T::kDate},
                     {"first_month", T::kDate},
                     {"insured_category", T::kU16},
                     {"insured_year", T::kU16},
                     {"person_no", T::kText},
                     {"employer_no", T::kText},
                     {"employer_name", T::kText},
                     {"uscc", T::kText},
                     {"confirmed", T::kU8},
                     {"state_text", T::kText}});
  open("evidence", {{"person_key", T::kU64},
                    {"row_ref", T::kU64},
                    {"outcome", T::kU8},
                    {"kind", T::kU8},
                    {"evidence", T::kU8},
                    {"from", T::kDate},
                    {"until", T::kDate},
                    {"county", T::kU32},
                    {"code", T::kU32},
                    {"detail", T::kText}});
  open("discrepancy", {{"person_key", T::kU64},
                       {"row_ref", T::kU64},
                       {"kind", T::kU8},
                       {"field", T::kText},
                       {"delivered", T::kText},
                       {"prevailing", T::kText}});
  open("duplicate", {{"person_key", T::kU64}, {"kind", T::kU16}, {"relations", T::kText}});
  open("unlinked", {{"row_ref", T::kU64},
                    {"outcome", T::kU8},
                    {"person_key", T::kU64},
                    {"kind", T::kU8},
                    {"number", T::kU64},
                    {"number_text", T::kText},
                    {"name", T::kText},
                    {"sex", T::kU8},
                    {"birth", T::kDate},
                    {"scheme", T::kU16},
                    {"region", T::kU32},
                    {"phone", T::kText},
                    {"employer_no", T::kText},
                    {"household_no", T::kText},
                    {"address", T::kText}});
  open("reject", {{"row_ref", T::kU64},
                  {"reason", T::kU8},
                  {"column", T::kU16},
                  {"field", T::kText},
                  {"text", T::kText}});
  open("figure", {{"county", T::kU32},
                  {"city", T::kU32},
                  {"hukou", T::kU8},
                  {"form", T::kU8},
                  {"column", T::kU8},
                  {"count", T::kU64}});
  auto end = [](RowFileWriter& w) {
    if (!w.EndRow()) throw std::runtime_error("EndRow");
  };

  using scheme::Duplicate;
  using scheme::Flag;
  std::map<std::tuple<uint32_t, uint32_t, bool, int, int>, uint64_t> figures;
  std::array<int64_t, 2> linked{}, unlinked{}, rejected{};
  uint64_t highest = 0;
  auto ref = [](uint64_t extract, uint64_t line) { return extract << 48 | line; };
  for (uint64_t k = 1; k <= o.persons; ++k) {
    if (o.vanished_every != 0 && k % o.vanished_every == 0) continue;
    std::mt19937_64 rng(k * 7919 + 17);
    auto pick = [&](uint64_t n) { return rng() % n; };
    uint32_t county =
        330101 + static_cast<uint32_t>(k / 3 % 3) * 100 + static_cast<uint32_t>(k % 3);
    uint32_t city = county / 100 * 100;
    uint64_t first17 = (county * 100000000ull + 19500101 + pick(60) * 10000) * 1000 + k % 1000;
    uint64_t number = k % 50 == 0 ? (1ull << 63 | rng() >> 2) : first17;
    size_t shard = number % kShards;
    bool in_register = pick(10) != 0;
    std::string name = std::string(k % 2 == 0 ? "王" : "李") +
                       (o.renamed_every != 0 && k % o.renamed_every == 0 ? "新" : "明") +
                       std::to_string(k % 977);
    uint32_t flags = in_register ? Flag::kH : Flag::kL;
    if (in_register) {
      switch (pick(4)) {
        case 0:
          flags |= Flag::kToVerify;
          break;
        case 1:
          flags |= Flag::kElsewhere | Flag::kE;
          break;
        default:
          flags |= Flag::kL;
          break;
      }
    }
    uint16_t duplicates = static_cast<uint16_t>(pick(20) == 0 ? 1u << pick(6) : 0);
    uint8_t uncovered = static_cast<uint8_t>(pick(8) == 0 ? 1u << pick(5) : 0);
    uint8_t column = static_cast<uint8_t>((flags & Flag::kToVerify) != 0 ? 27 : 1 + pick(15));

    RowFileWriter& p = *tables["person"].shards[shard];
    p.U64(k);
    p.U64(number);
    p.Text(k % 50 == 0 ? "E" + std::to_string(10000000 + k) : "");
    p.Text(name);
    p.U8(static_cast<uint8_t>(1 + k % 2));
    p.Day(Date::FromYmd(1950 + static_cast<int>(k % 60), 1, 1));
    p.U8(in_register);
    p.U8(1);
    p.U8(0);
    p.Day({});
    p.U64(in_register ? county * 1000000ull + 1001 : 0);
    p.U8(1);
    p.U8(1);
    p.Text("H" + std::to_string(k / 3));
    p.Text("户主");
    p.Text(k % 3 == 0 ? std::to_string(13800000000ull + k) : k % 7 == 0 ? "0571-8888 (分机)" : "");
    p.Text(k % 4 == 0 ? "某路" + std::to_string(k % 300) + "号" : "");
    p.U64(0);
    p.U64(ref(0, o.first_line + k));
    p.U32(flags);
    p.U16(duplicates);
    p.U8(uncovered);
    p.U8(column);
    p.U32(county);
    p.U32(city);
    p.U8(3);
    p.U8(1);
    end(p);
    ++linked[0];
    highest = k;

    static constexpr uint16_t kSchemes[] = {110, 310, 410, 210, 510, 170, 390};
    for (int i = 0; i < o.enrolments; ++i) {
      RowFileWriter& e = *tables["enrolment"].shards[shard];
      bool ended = i == 0 && o.ended_every != 0 && k % o.ended_every == 0;
      e.U64(k);
      e.U64(ref(1, o.first_line + k * 8 + static_cast<uint64_t>(i)));
      e.U8(2);
      e.U16(kSchemes[(k + static_cast<uint64_t>(i)) % 7]);
      e.U32(city);
      e.U8(ended ? 3 : 1);
      e.U8(ended ? 3 : 1);
      e.Day(Date::FromYmd(2000 + static_cast<int>(k % 17), 1 + i, 1));
      e.Day(ended ? Date::FromYmd(2017, 8, 31) : Date{});
      e.Day({});
      e.U16(0);
      e.U16(0);
      e.Text("P" + std::to_string(k));
      e.Text(i % 2 == 0 ? "3301" + std::to_string(k / 50) : "");
      e.Text(i % 2 == 0 ? "测试企业" + std::to_string(k / 50) + "有限公司" : "");
      e.Text("");
      e.U8(1);
      e.Text("1/1/");
      end(e);
      ++linked[1];
    }
    if (k % 5 == 0) {
      RowFileWriter& v = *tables["evidence"].shards[shard];
      v.U64(k);
      v.U64(ref(1, o.first_line + k * 8 + 6));
      v.U8(2);
      v.U8(9);
      v.U8(7);
      v.Day(Date::FromYmd(2017, 8, 1));
      v.Day({});
      v.U32(county);
      v.U32(0);
      v.Text("91330100MA00000000");
      end(v);
      ++linked[1];
    }
    if (k % 25 == 0) {
      RowFileWriter& d = *tables["discrepancy"].shards[shard];
      bool of_number = k % 50 == 0;
      d.U64(k);
      d.U64(ref(1, o.first_line + k * 8));
      d.U8(of_number ? 1 : 4);
      d.Text(of_number ? "id_number" : "name");
      d.Text(of_number ? "3301011950010100" + std::to_string(10 + k % 90) : name + "某");
      d.Text(of_number ? "" : name);
      end(d);
    }
    if (duplicates != 0) {
      RowFileWriter& d = *tables["duplicate"].shards[shard];
      d.U64(k);
      d.U16(duplicates);
      d.Text("110@330100;170@330200");
      end(d);
    }

    auto count = [&](int form, int c) {
      ++figures[{county, city, (flags & Flag::kH) != 0, form, c}];
    };
    if (flags & Flag::kH) count(21, 1);
    if (flags & Flag::kL) count(21, 2);
    if ((flags & Flag::kL) && !(flags & Flag::kH)) count(21, 3);
    if (flags & Flag::kElsewhere) count(21, 4);
    if (flags & Flag::kToVerify) count(21, 5);
    static constexpr int kUncoveredColumn[] = {7, 16, 23, 24, 25};
    for (int b = 0; b < 5; ++b) {
      if (uncovered & (1u << b)) count(21, kUncoveredColumn[b]);
    }
    static constexpr int kDuplicateColumn[] = {8, 10, 12, 14, 17, 19, 21};
    for (int b = 0; b < 7; ++b) {
      if (duplicates & (1u << b)) count(21, kDuplicateColumn[b]);
    }
    count(22, column);
  }
  for (uint64_t i = 0; i < o.unlinked; ++i) {
    RowFileWriter& u = *tables["unlinked"].shards[i % kShards];
    u.U64(ref(1, 900000000 + o.first_line + i));
    u.U8(i % 3 == 0 ? 6 : 7);
    u.U64(0);
    u.U8(2);
    u.U64(0);
    u.Text("33010119500101" + std::to_string(i));
    u.Text("赵" + std::to_string(i));
    u.U8(1);
    u.Day({});
    u.U16(110);
    u.U32(i % 2 == 0 ? 330100 : 0);
    u.Text("");
    u.Text("");
    u.Text("");
    u.Text("");
    end(u);
    ++unlinked[1];
  }
  for (uint64_t i = 0; i < o.rejects; ++i) {
    RowFileWriter& r = *tables["reject"].shards[i % kShards];
    r.U64(ref(1, 800000000 + o.first_line + i));
    r.U8(1);
    r.U16(static_cast<uint16_t>(i % 4));
    r.Text("name");
    r.Text("330101195001010" + std::to_string(i) + ",残缺的行");
    end(r);
    ++rejected[1];
  }
  for (const auto& [where, n] : figures) {
    auto [county, city, hukou, form, column] = where;
    RowFileWriter& f = *tables["figure"].shards[0];
    f.U32(county);
    f.U32(city);
    f.U8(hukou);
    f.U8(static_cast<uint8_t>(form));
    f.U8(static_cast<uint8_t>(column));
    f.U64(n);
    end(f);
  }

  json::object m, table_list;
  for (auto& [name, table] : tables) {
    uint64_t rows = 0;
    Sha256 all;
    for (auto& shard : table.shards) {
      if (!shard->Finish()) throw std::runtime_error("Finish");
      rows += shard->rows();
      all.Update(shard->plain_sha256());
    }
    table_list[name] = json::object{{"rows", rows}, {"sha256", all.FinishHex()}};
  }
  json::array extracts;
  for (int i = 0; i < 2; ++i) {
    size_t x = static_cast<size_t>(i);
    extracts.push_back(json::object{{"ordinal", i},
                                    {"file", i == 0 ? "hukou.csv" : "pension.csv"},
                                    {"kind", i == 0 ? "household_register" : "enrolment"},
                                    {"source", i == 0 ? "ga-330000" : "sb-330100"},
                                    {"stage", "internal"},
                                    {"region", i == 0 ? 0 : 330100},
                                    {"sha256", o.file_digest + std::to_string(i)},
                                    {"rows_in", linked[x] + unlinked[x] + rejected[x]},
                                    {"linked", linked[x]},
                                    {"unlinked", unlinked[x]},
                                    {"rejected", rejected[x]},
                                    {"reference", 0},
                                    {"outcomes", json::object{{"exact", linked[x]}}}});
  }
  m["run"] = o.run;
  m["format"] = 1;
  m["province"] = o.province;
  m["cutoff"] = o.cutoff.ToIso();
  m["rules"] = "test rules";
  m["persons"] = json::object{{"count", linked[0]}, {"highest_key", highest}};
  m["extracts"] = std::move(extracts);
  m["tables"] = std::move(table_list);
  m["result_digest"] = "digest of " + o.run;
  std::ofstream(out + "/manifest.json") << json::serialize(m);
  return out;
}

}  // namespace canbao::reg::synthetic
