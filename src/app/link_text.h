// The comparison's words about links, as the command uses them.
#pragma once

#include "comparison/link/link_text.h"

namespace canbao::app {

using comparison::LabelOf;
using comparison::LevelOf;
using comparison::LevelsText;
using comparison::Probability;
using comparison::RowPlaceText;
using comparison::RulesText;
using comparison::SexText;

}  // namespace canbao::app
