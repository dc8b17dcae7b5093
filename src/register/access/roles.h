// Roles and what each may do: data/access/roles.toml, compiled in. Database::Open() writes them
// into the database, whose policies decide by them. Pure but for LoadRoles(), which needs the
// owner's connection. Errors: CB-REGISTER-0902 (the file is wrong).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "register/connection.h"

namespace canbao::reg {

struct Permission {
  std::string name;
  bool personal = false;  // shows persons
  Text label;
};

struct Role {
  std::string name;
  bool administrator = false;
  Text label;
  std::vector<std::string> may;
};

struct RolePolicy {
  std::string valid_from;
  std::vector<Permission> permissions;
  std::vector<Role> roles;
};

std::string_view CompiledRoles();
Result<RolePolicy> ParseRoles(std::string_view toml);

// Makes the database's tables say what `toml` says; nothing when they do already.
Status LoadRoles(Connection& c, std::string_view toml = CompiledRoles());

}  // namespace canbao::reg
