// How links are said in words, wherever they are explained or listed.
#pragma once

#include <string>

#include "comparison/link/decide.h"

namespace canbao::app {

// "0.999640", of odds in bits.
std::string Probability(comparison::Bits odds);
std::string SexText(identity::Sex sex);  // empty when unknown
// Null: one of the two says nothing of the field.
const comparison::LevelName* LevelOf(comparison::Field f, comparison::Levels levels);
Text LabelOf(comparison::Field f);
// "姓名 相同; 出生日期 相近".
std::string LevelsText(comparison::Levels levels);
// Blocking rules, a bit each.
std::string RulesText(uint16_t rules);

}  // namespace canbao::app
