// The account of a run for people: what came in, what became of it, how long it took.
#pragma once

#include "comparison/run.h"
#include "register/load.h"

namespace canbao::app {

void PrintAccount(const comparison::CompareResult& run);
void PrintLoad(const reg::LoadReport& report);

}  // namespace canbao::app
