#include "service/api/policy_files.h"

#include <toml++/toml.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>
#include <utility>

#include "base/digest.h"
#include "base/file.h"

namespace canbao::service {
namespace {
namespace fs = std::filesystem;

// Beside the rest of the tree where the program runs from its sources: the table of towns and the
// like.
constexpr uint64_t kLargestPolicyFile = 16ull << 20;

std::string DayOf(const toml::table& t) {
  for (const char* key : {"valid_from", "from", "version"}) {
    if (auto day = t[key].value<toml::date>()) {
      return fmt::format("{:04}-{:02}-{:02}", day->year, day->month, day->day);
    }
    if (auto text = t[key].value<std::string>(); text && text->size() == 10 && (*text)[4] == '-') {
      return *text;
    }
  }
  return {};
}

std::string SourceOf(const toml::table& t) {
  for (const char* key : {"source", "sources"}) {
    if (auto text = t[key].value<std::string>()) return *text;
    const toml::array* list = t[key].as_array();
    if (list == nullptr) continue;
    std::string out;
    for (const toml::node& node : *list) {
      out += (out.empty() ? "" : "; ") + node.value_or(std::string());
    }
    return out;
  }
  return {};
}

// Of the comments that a file opens with: the line that names the source, else the first.
std::string SourceOfComments(std::string_view text) {
  std::string first;
  while (text.starts_with('#')) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(1, end - 1);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (line.starts_with(' ')) line.remove_prefix(1);
    for (std::string_view word : {"Source: ", "Sources: ", "Made by "}) {
      if (const size_t at = line.find(word); at != std::string_view::npos) {
        return std::string(line.substr(word == "Made by " ? at : at + word.size()));
      }
    }
    if (first.empty()) first = line;
  }
  return first;
}

struct ReadPolicy {
  fs::file_time_type time;
  uint64_t size = 0;
  PolicyFile file;
};

// What was read of a file, until it changes.
struct PolicyShelf {
  std::mutex mutex;
  std::map<std::string, ReadPolicy> by_path;
};

PolicyShelf& Policies() {
  static PolicyShelf shelf;
  return shelf;
}

}  // namespace

Result<std::vector<PolicyFile>> ListPolicyFiles(const std::string& policy_dir) {
  std::vector<PolicyFile> out;
  std::error_code ec;
  PolicyShelf& shelf = Policies();
  std::lock_guard lock(shelf.mutex);
  for (auto entry = fs::recursive_directory_iterator(policy_dir, ec);
       !ec && entry != fs::recursive_directory_iterator(); entry.increment(ec)) {
    const fs::path& path = entry->path();
    const std::string extension = path.extension().string();
    if (extension != ".toml" && extension != ".csv" && extension != ".txt") continue;
    std::error_code ignored;
    if (!fs::is_regular_file(entry->symlink_status(ignored))) continue;
    const uint64_t size = fs::file_size(path, ignored);
    if (ignored || size > kLargestPolicyFile) continue;
    const fs::file_time_type time = fs::last_write_time(path, ignored);
    ReadPolicy& read = shelf.by_path[path.string()];
    if (read.file.id.empty() || read.time != time || read.size != size) {
      CANBAO_ASSIGN(std::string text, ReadWholeFile(path.string()));
      const fs::path relative = fs::relative(path, policy_dir, ignored);
      if (std::distance(relative.begin(), relative.end()) < 2) continue;  // beside the folders
      PolicyFile f;
      f.id = relative.generic_string();
      std::replace(f.id.begin(), f.id.end(), '/', ':');
      f.kind = relative.begin()->string();
      f.path = path.string();
      f.sha256 = Sha256Hex(text);
      if (extension == ".toml") {
        try {
          const toml::table parsed = toml::parse(text);
          f.from = DayOf(parsed);
          f.source = SourceOf(parsed);
        } catch (const toml::parse_error&) {
          // Listed all the same: whoever uses it says what is wrong with it.
        }
      }
      if (f.source.empty()) f.source = SourceOfComments(text);
      read = {time, size, std::move(f)};
    }
    out.push_back(read.file);
  }
  if (ec) return Fail(FileError(kCodeCannotRead, policy_dir, ec.value()));
  std::sort(out.begin(), out.end(),
            [](const PolicyFile& a, const PolicyFile& b) { return a.id < b.id; });
  return out;
}

Result<std::optional<PolicyFile>> FindPolicyFile(const std::string& policy_dir,
                                                 const std::string& id) {
  CANBAO_ASSIGN(std::vector<PolicyFile> files, ListPolicyFiles(policy_dir));
  for (PolicyFile& f : files) {
    if (f.id == id) return std::optional<PolicyFile>(std::move(f));
  }
  return std::optional<PolicyFile>();
}

}  // namespace canbao::service
