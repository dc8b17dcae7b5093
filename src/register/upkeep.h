// Work that a migration leaves to the program, because SQL cannot do it: noted in canbao.upkeep by
// the migration, done when the database is opened next, once. A register made by this version has
// none. Blocks; interrupted, it goes on the next time. Errors: what connection says.
#pragma once

#include "base/error.h"
#include "register/connection.h"

namespace canbao::reg {

// In a session of the owner.
Status DoUpkeep(Connection& c);

}  // namespace canbao::reg
