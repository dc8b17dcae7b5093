// What stands in the first line of a request: the path in its segments and the query, decoded.
// Strict: a broken escape, bytes that are no UTF-8 or a control character are refused, so that
// nothing behind has to think of them. Pure functions.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canbao::service {

struct Target {
  std::vector<std::string> segments;  // decoded; a slash within one was escaped
  std::string path;                   // "/" and the segments
  std::map<std::string, std::string, std::less<>> query;
  std::vector<std::string> repeated;  // names that the query has more than once
};

// Of "/a/b%20c?d=e+f", or with a scheme and a host before it. Nothing when it is malformed.
std::optional<Target> ParseTarget(std::string_view text);

// %XX; with `plus`, + is a blank. Nothing for a broken escape.
std::optional<std::string> PercentDecode(std::string_view text, bool plus);
bool IsUtf8(std::string_view text);
// Characters, not bytes; `text` is UTF-8.
size_t CountCharacters(std::string_view text);

}  // namespace canbao::service
