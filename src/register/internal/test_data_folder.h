// The former place of register/test_data_folder.h; only tests include this.
#pragma once

#include "register/test_data_folder.h"  // IWYU pragma: export
