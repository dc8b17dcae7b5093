// Connections of --database, --app-database and --access-database from the environment: they hold
// passwords, which a list of processes would show. `canbao serve` hands them to the children of its
// jobs so. Stateless; any thread.
#pragma once

#include <cstdlib>
#include <string>

namespace canbao::app {

inline constexpr char kDatabaseVariable[] = "CANBAO_DATABASE";
inline constexpr char kAppDatabaseVariable[] = "CANBAO_APP_DATABASE";
inline constexpr char kAccessDatabaseVariable[] = "CANBAO_ACCESS_DATABASE";

// What an option is while no word says otherwise; empty without the variable.
inline std::string FromEnvironment(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr ? std::string(value) : std::string();
}

}  // namespace canbao::app
