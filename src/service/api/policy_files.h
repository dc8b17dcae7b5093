// The dated files that decide: rules, mappings, code tables, forms, linkage models, divisions,
// roles. They come with the program and are only read here. A file is named by the id that the list
// gave it, which is looked up in a new list: no path of a request is ever opened.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace canbao::service {

struct PolicyFile {
  std::string id;      // "rules:obligations-2020.toml"
  std::string kind;    // the folder: "rules"
  std::string from;    // the day from which it holds; "" where it is not dated
  std::string source;  // the paper behind it; "" where the file does not say
  std::string sha256;
  std::string path;
};

// By id. Only text that a person can read: .toml, .csv, .txt.
Result<std::vector<PolicyFile>> ListPolicyFiles(const std::string& policy_dir);
Result<std::optional<PolicyFile>> FindPolicyFile(const std::string& policy_dir,
                                                 const std::string& id);

}  // namespace canbao::service
