// How links are said in words, wherever they are explained or listed.
#pragma once

#include <string>

#include "comparison/link/decide.h"
#include "comparison/run.h"

namespace canbao::comparison {

// "0.999640", of odds in bits.
std::string Probability(Bits odds);
std::string SexText(identity::Sex sex);  // empty when unknown
// Null: one of the two says nothing of the field.
const LevelName* LevelOf(Field f, Levels levels);
Text LabelOf(Field f);
// "姓名 相同; 出生日期 相近".
std::string LevelsText(Levels levels);
// Blocking rules, a bit each.
std::string RulesText(uint16_t rules);
// "FILE:LINE" of a row_ref; in a workbook's later sheets "FILE:SHEET:ROW".
std::string RowPlaceText(const CompareResult& run, uint64_t row_ref);

}  // namespace canbao::comparison
