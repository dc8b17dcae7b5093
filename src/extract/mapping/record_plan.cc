#include "extract/mapping/record_plan.h"

#include <algorithm>
#include <map>

#include "extract/errors.h"

namespace canbao::extract {
namespace {

std::string Join(const std::vector<std::string>& words, std::string_view between) {
  std::string out;
  for (const std::string& word : words) {
    if (!out.empty()) out += between;
    out += word;
  }
  return out;
}

// Most columns a list may have; more is no list.
constexpr size_t kMaxListColumns = 4096;

}  // namespace

const PlannedColumn* RecordPlan::ColumnOfBit(uint64_t bit) const {
  for (const PlannedColumn& column : planned) {
    if (column.required_bit == bit) return &column;
  }
  return nullptr;
}

int CountKnownHeaders(const KindSchema& schema, const std::vector<std::string>& headers) {
  int known = 0;
  for (const std::string& header : headers) {
    if (!header.empty() && schema.Match(header).field != Field::kNone) ++known;
  }
  return known;
}

bool HasRequired(const KindSchema& schema, const std::vector<std::string>& headers,
                 bool scheme_by_manifest) {
  for (const FieldSpec& spec : schema.fields) {
    if (!spec.required || (spec.by_manifest && scheme_by_manifest)) continue;
    bool found = std::any_of(headers.begin(), headers.end(), [&](const std::string& h) {
      return !h.empty() && schema.Match(h).field == spec.field;
    });
    if (!found) return false;
  }
  return true;
}

Result<RecordPlan> MakeRecordPlan(const std::string& path, uint64_t line,
                                  const std::vector<std::string>& headers, const ExtractSpec& spec,
                                  std::shared_ptr<const SourceMapping> mapping) {
  auto at_line = static_cast<int64_t>(line);
  if (headers.size() > kMaxListColumns) {
    return Fail(Error{ErrorClass::kInput, kErrColumnCount,
                      Msg("表头有 {0} 列，超过 {1}", "the header has {0} columns, more than {1}",
                          headers.size(), kMaxListColumns),
                      Msg("请检查分隔符和文件内容", "check the delimiter and the file"), path,
                      at_line, 0});
  }
  RecordPlan plan;
  plan.kind = spec.kind;
  plan.columns = static_cast<uint32_t>(headers.size());
  plan.scheme = spec.scheme;
  plan.region = spec.region;
  const KindSchema& schema = mapping->Of(spec.kind);

  struct Found {
    size_t column;
    HeaderMatch match;
  };
  std::map<std::string, size_t> by_name;
  std::map<Field, std::vector<Found>> by_field;
  for (size_t i = 0; i < headers.size(); ++i) {
    std::string folded = FoldHeader(headers[i]);
    if (folded.empty()) continue;
    auto column = static_cast<int64_t>(i + 1);
    if (auto [other, fresh] = by_name.emplace(folded, i); !fresh) {
      return Fail(Error{ErrorClass::kInput, kErrHeaderTwice,
                        Msg("第 {1} 列与第 {2} 列的表头都是“{0}”",
                            "columns {1} and {2} have the same header \"{0}\"", headers[i],
                            other->second + 1, i + 1),
                        Msg("请删去或改名其中一列", "remove or rename one of them"), path, at_line,
                        column});
    }
    HeaderMatch match = schema.Match(headers[i]);
    if (match.field == Field::kNone) continue;
    auto& found = by_field[match.field];
    if (!found.empty() && !schema.Find(match.field)->several) {
      size_t first = found.front().column;
      return Fail(Error{
          ErrorClass::kInput, kErrHeaderTwice,
          Msg("第 {1} 列“{0}”与第 {3} 列“{2}”都表示 {4}",
              "column {1} \"{0}\" and column {3} \"{2}\" both mean {4}", headers[first], first + 1,
              headers[i], i + 1, std::string(FieldName(match.field))),
          Msg("请删去或改名其中一列", "remove or rename one of them"), path, at_line, column});
    }
    found.push_back({i, match});
  }

  std::vector<std::string> missing_zh;
  uint64_t next_bit = 1;
  for (const FieldSpec& field : schema.fields) {
    auto found = by_field.find(field.field);
    if (found == by_field.end()) {
      if (field.required && !(field.by_manifest && spec.scheme != 0)) {
        std::string names = std::string(FieldName(field.field));
        for (const std::string& header : field.headers) names += "/" + header;
        missing_zh.push_back(std::move(names));
      }
      continue;
    }
    uint64_t bit = 0;
    bool must = field.required && !field.may_be_empty && !(field.by_manifest && spec.scheme != 0);
    if (must) {
      bit = next_bit;
      next_bit <<= 1;
      plan.required |= bit;
    }
    for (const Found& f : found->second) {
      plan.planned.push_back({static_cast<uint16_t>(f.column), field.field, bit, f.match.priority,
                              found->second.size() > 1});
    }
    if (field.field == Field::kContributionState) plan.has_contribution = true;
    if (field.field == Field::kBenefitState) plan.has_benefit = true;
  }
  if (!missing_zh.empty()) {
    std::string list = Join(missing_zh, "; ");
    std::string seen = Join(headers, " | ");
    if (seen.size() > 1000) seen.resize(1000);
    return Fail(Error{
        ErrorClass::kInput, kErrHeaderMissing,
        Msg("缺少必需的列（可用表头）：{0}。文件的表头是：{1}",
            "required columns are missing (accepted headers): {0}. The file's headers are: {1}",
            list, seen),
        Msg("请补齐这些列，或在 data/mappings/sources 中为该来源登记表头",
            "add the columns, or register the source's headers in data/mappings/sources"),
        path, at_line, 0});
  }
  std::sort(plan.planned.begin(), plan.planned.end(),
            [](const PlannedColumn& a, const PlannedColumn& b) { return a.column < b.column; });
  plan.states.resize(1000);
  for (const auto& [scheme, table] : mapping->states) {
    if (scheme < plan.states.size()) plan.states[scheme] = table.get();
  }
  plan.mapping = std::move(mapping);
  return plan;
}

}  // namespace canbao::extract
