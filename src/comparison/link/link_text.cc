#include "comparison/link/link_text.h"

#include <fmt/format.h>

#include <cstdlib>

namespace canbao::comparison {

namespace {

void AppendWords(std::string* out, const std::string& more) {
  if (!out->empty()) *out += "; ";
  *out += more;
}

}  // namespace

std::string Probability(Bits odds) {
  const uint64_t u = Unlikely(std::abs(odds));
  const double other = static_cast<double>(u) / static_cast<double>(kOne + u);
  return fmt::format("{:.6f}", odds >= 0 ? 1 - other : other);
}

std::string SexText(identity::Sex sex) {
  return sex == identity::Sex::kMale     ? Text{"男", "male"}.Get()
         : sex == identity::Sex::kFemale ? Text{"女", "female"}.Get()
                                         : std::string();
}

const LevelName* LevelOf(Field f, Levels levels) {
  const uint8_t l = levels.Of(f);
  const auto& names = FieldNames()[static_cast<size_t>(f)].levels;
  return l == 0 || l > names.size() ? nullptr : &names[l - 1u];
}

Text LabelOf(Field f) {
  const FieldName& n = FieldNames()[static_cast<size_t>(f)];
  return Text{n.zh, n.en};
}

std::string LevelsText(Levels levels) {
  std::string out;
  for (size_t f = 0; f < kFields; ++f) {
    const auto field = static_cast<Field>(f);
    if (const LevelName* level = LevelOf(field, levels); level != nullptr) {
      AppendWords(&out, LabelOf(field).Get() + " " + Text{level->zh, level->en}.Get());
    }
  }
  return out;
}

std::string RulesText(uint16_t rules) {
  std::string out;
  for (size_t i = 0; i < kBlockingRules; ++i) {
    const BlockingRule& rule = BlockingRules()[i];
    if ((rules >> i & 1) != 0) AppendWords(&out, Text{rule.zh, rule.en}.Get());
  }
  return out;
}

std::string RowPlaceText(const CompareResult& run, uint64_t row_ref) {
  const auto ordinal = static_cast<uint16_t>(row_ref >> 48);
  const auto sheet = static_cast<int>(row_ref >> 40 & 0xFF);
  const uint64_t line = row_ref & 0xFFFFFFFFFF;
  for (const ExtractResult& e : run.extracts) {
    if (e.ordinal != ordinal) continue;
    return sheet > 1 ? fmt::format("{}:{}:{}", e.spec.file, sheet, line)
                     : fmt::format("{}:{}", e.spec.file, line);
  }
  return {};
}

}  // namespace canbao::comparison
