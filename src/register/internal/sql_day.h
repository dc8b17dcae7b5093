// A day as a literal of SQL.
#pragma once

#include <string>

#include "base/date.h"

namespace canbao::reg {

inline std::string SqlDay(Date day) { return "'" + day.ToIso() + "'::date"; }

}  // namespace canbao::reg
