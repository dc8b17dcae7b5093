#include "app/link_text.h"

#include <fmt/format.h>

#include <cstdlib>

namespace canbao::app {

using comparison::Field;
using comparison::FieldNames;

namespace {

void Append(std::string* out, const std::string& more) {
  if (!out->empty()) *out += "; ";
  *out += more;
}

}  // namespace

std::string Probability(comparison::Bits odds) {
  const uint64_t u = comparison::Unlikely(std::abs(odds));
  const double other = static_cast<double>(u) / static_cast<double>(comparison::kOne + u);
  return fmt::format("{:.6f}", odds >= 0 ? 1 - other : other);
}

std::string SexText(identity::Sex sex) {
  return sex == identity::Sex::kMale     ? Text{"男", "male"}.Get()
         : sex == identity::Sex::kFemale ? Text{"女", "female"}.Get()
                                         : std::string();
}

const comparison::LevelName* LevelOf(Field f, comparison::Levels levels) {
  const uint8_t l = levels.Of(f);
  const auto& names = FieldNames()[static_cast<size_t>(f)].levels;
  return l == 0 || l > names.size() ? nullptr : &names[l - 1u];
}

Text LabelOf(Field f) {
  const comparison::FieldName& n = FieldNames()[static_cast<size_t>(f)];
  return Text{n.zh, n.en};
}

std::string LevelsText(comparison::Levels levels) {
  std::string out;
  for (size_t f = 0; f < comparison::kFields; ++f) {
    const auto field = static_cast<Field>(f);
    if (const comparison::LevelName* level = LevelOf(field, levels); level != nullptr) {
      Append(&out, LabelOf(field).Get() + " " + Text{level->zh, level->en}.Get());
    }
  }
  return out;
}

std::string RulesText(uint16_t rules) {
  std::string out;
  for (size_t i = 0; i < comparison::kBlockingRules; ++i) {
    const comparison::BlockingRule& rule = comparison::BlockingRules()[i];
    if ((rules >> i & 1) != 0) Append(&out, Text{rule.zh, rule.en}.Get());
  }
  return out;
}

}  // namespace canbao::app
