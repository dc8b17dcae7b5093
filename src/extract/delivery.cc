#include "extract/delivery.h"

#include <toml++/toml.h>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "extract/errors.h"
#include "extract/manifest.h"

namespace canbao::extract {
namespace {

namespace fs = std::filesystem;

// One [[extract]] or [delivery] table: takes keys out one by one, so that what is left over at the
// end is unknown.
class KeyReader {
 public:
  KeyReader(const toml::table& table, std::string file, std::string where)
      : table_(table), file_(std::move(file)), where_(std::move(where)) {}

  int64_t line() const { return table_.source().begin.line; }

  tl::unexpected<Error> Bad(std::string_view key, std::string_view expected) const {
    const toml::node* node = table_.get(key);
    int64_t at = node == nullptr ? line() : node->source().begin.line;
    return Fail(Error{ErrorClass::kInput, kErrManifestBadValue,
                      Msg("{0} 的 {1} 应为 {2}", "{1} of {0} must be {2}", where_, std::string(key),
                          std::string(expected)),
                      Msg("请改正清单；格式见 docs/formats/delivery.md",
                          "correct the manifest; its format: docs/formats/delivery.md"),
                      file_, at, 0});
  }
  tl::unexpected<Error> Missing(std::string_view key) const {
    return Fail(Error{ErrorClass::kInput, kErrManifestMissingKey,
                      Msg("{0} 缺少 {1}", "{0} lacks {1}", where_, std::string(key)),
                      Msg("请补全清单；格式见 docs/formats/delivery.md",
                          "complete the manifest; its format: docs/formats/delivery.md"),
                      file_, line(), 0});
  }

  Result<std::string> Text(std::string_view key, bool required) {
    seen_.insert(std::string(key));
    const toml::node* node = table_.get(key);
    if (node == nullptr) {
      if (required) return Missing(key);
      return std::string();
    }
    if (!node->is_string()) return Bad(key, "\"…\"");
    std::string text = *node->value<std::string>();
    if (required && text.empty()) return Missing(key);
    return text;
  }
  // A TOML date, or the same as text.
  Result<Date> Day(std::string_view key) {
    seen_.insert(std::string(key));
    const toml::node* node = table_.get(key);
    if (node == nullptr) return Missing(key);
    Date date;
    if (const auto* d = node->as_date()) {
      toml::date v = d->get();
      date = Date::FromYmd(v.year, v.month, v.day);
    } else if (node->is_string()) {
      date = ParseIsoDate(*node->value<std::string>());
    }
    if (!date.has_value()) return Bad(key, "2017-09-30");
    return date;
  }
  Result<std::string> Moment(std::string_view key) {
    seen_.insert(std::string(key));
    const toml::node* node = table_.get(key);
    if (node == nullptr) return std::string();
    std::ostringstream out;
    if (const auto* at = node->as_date_time()) {
      out << at->get();
    } else if (const auto* day = node->as_date()) {
      out << day->get();
    } else if (node->is_string()) {
      out << *node->value<std::string>();
    } else {
      return Bad(key, "2017-10-08T09:30:00+08:00");
    }
    return out.str();
  }
  Result<int64_t> Whole(std::string_view key) {
    seen_.insert(std::string(key));
    const toml::node* node = table_.get(key);
    if (node == nullptr) return int64_t{-1};
    if (!node->is_integer() || *node->value<int64_t>() < 0) return Bad(key, "0, 1, 2 …");
    return *node->value<int64_t>();
  }
  // A division or number code of `digits` digits, as text or number; 0 when missing.
  Result<uint32_t> Code(std::string_view key, size_t digits, bool required) {
    seen_.insert(std::string(key));
    const toml::node* node = table_.get(key);
    if (node == nullptr) {
      if (required) return Missing(key);
      return uint32_t{0};
    }
    std::string text;
    if (node->is_string()) text = *node->value<std::string>();
    if (node->is_integer()) text = std::to_string(*node->value<int64_t>());
    bool good = text.size() == digits &&
                std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!good) return Bad(key, std::string(digits, '9') + " (" + std::to_string(digits) + ")");
    return static_cast<uint32_t>(std::stoul(text));
  }
  Status NothingElse() const {
    for (const auto& [key, node] : table_) {
      if (!seen_.contains(std::string(key.str()))) {
        return Fail(Error{ErrorClass::kInput, kErrManifestUnknownKey,
                          Msg("{0} 中有不认识的键 {1}", "{0} has an unknown key {1}", where_,
                              std::string(key.str())),
                          Msg("请删去或改正该键；格式见 docs/formats/delivery.md",
                              "remove or correct it; the format: docs/formats/delivery.md"),
                          file_, static_cast<int64_t>(key.source().begin.line), 0});
      }
    }
    return {};
  }

 private:
  const toml::table& table_;
  std::string file_;
  std::string where_;
  std::set<std::string> seen_;
};

std::string Lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return text;
}

// Whether the name stays inside the folder: relative, and no `..` that climbs out of it.
bool StaysInside(const std::string& name) {
  fs::path path(name);
  if (name.empty() || path.is_absolute() || name.find('\0') != std::string::npos) return false;
  int depth = 0;
  for (const fs::path& part : path) {
    if (part == "..") {
      if (--depth < 0) return false;
    } else if (part != "." && !part.empty()) {
      ++depth;
    }
  }
  return depth > 0 && name.find('\\') == std::string::npos;
}

Result<ExtractSpec> ReadExtract(const toml::table& table, const std::string& manifest,
                                const std::string& where) {
  KeyReader keys(table, manifest, where);
  ExtractSpec spec;
  CANBAO_ASSIGN(spec.file, keys.Text("file", true));
  CANBAO_ASSIGN(std::string kind, keys.Text("kind", true));
  bool known = false;
  spec.kind = KindFromName(kind, &known);
  if (!known) {
    std::string kinds;
    for (int i = 0; i < kKinds; ++i) {
      kinds += (i > 0 ? ", " : "") + std::string(KindName(static_cast<Kind>(i)));
    }
    return Fail(Error{ErrorClass::kInput, kErrKindUnknown,
                      Msg("{0} 的种类 {1} 不存在", "{0}: there is no kind {1}", where, kind),
                      Msg("种类有：{0}", "the kinds are: {0}", kinds), manifest, keys.line(), 0});
  }
  CANBAO_ASSIGN(spec.source, keys.Text("source", true));
  CANBAO_ASSIGN(std::string stage, keys.Text("stage", true));
  bool stage_known = false;
  for (Stage s :
       {Stage::kInternal, Stage::kCrossDepartment, Stage::kCrossCity, Stage::kCrossProvince}) {
    if (StageName(s) == stage) {
      spec.stage = s;
      stage_known = true;
    }
  }
  if (!stage_known)
    return keys.Bad("stage", "internal | cross_department | cross_city | cross_province");
  CANBAO_ASSIGN(spec.region, keys.Code("region", 6, false));
  CANBAO_ASSIGN(uint32_t scheme, keys.Code("scheme", 3, false));
  spec.scheme = static_cast<scheme::SchemeCode>(scheme);
  if (spec.scheme != 0 && scheme::StandingOf(spec.scheme) == scheme::SchemeStanding::kUnknown) {
    return keys.Bad("scheme", "110 | 120 | 170 | 210 | 310 | 380 | 390 | 391 | 410 | 510 …");
  }
  CANBAO_ASSIGN(std::string encoding, keys.Text("encoding", false));
  encoding = Lower(encoding);
  if (encoding == "utf8") encoding = "utf-8";
  if (encoding == "gbk" || encoding == "gb2312") encoding = "gb18030";  // its subsets
  if (!encoding.empty() && encoding != "utf-8" && encoding != "gb18030") {
    return keys.Bad("encoding", "utf-8 | gb18030");
  }
  spec.encoding = encoding;
  CANBAO_ASSIGN(std::string scope, keys.Text("scope", false));
  if (!scope.empty() && scope != "full" && scope != "delta")
    return keys.Bad("scope", "full | delta");
  spec.delta = scope == "delta";
  CANBAO_ASSIGN(spec.rows, keys.Whole("rows"));
  CANBAO_ASSIGN(spec.sha256, keys.Text("sha256", false));
  spec.sha256 = Lower(spec.sha256);
  if (!spec.sha256.empty() &&
      (spec.sha256.size() != 64 ||
       spec.sha256.find_first_not_of("0123456789abcdef") != std::string::npos)) {
    return keys.Bad("sha256", "64 × 0-9 a-f");
  }
  CANBAO_TRY(keys.NothingElse());
  if (!StaysInside(spec.file)) {
    return Fail(Error{ErrorClass::kInput, kErrFileOutside,
                      Msg("文件名 {0} 指向交付目录之外",
                          "the file name {0} leaves the folder of the delivery", spec.file),
                      Msg("文件须放在交付目录内，用相对路径书写",
                          "put the file into the folder and name it relative to it"),
                      manifest, keys.line(), 0});
  }
  return spec;
}

}  // namespace

Result<Delivery> ParseManifest(std::string_view text, const std::string& path) {
  toml::table root;
  try {
    root = toml::parse(text, path);
  } catch (const toml::parse_error& e) {
    return Fail(Error{ErrorClass::kInput, kErrManifestBroken,
                      Msg("清单不是有效的 TOML：{0}", "the manifest is no valid TOML: {0}",
                          std::string(e.description())),
                      Msg("请改正该处；格式见 docs/formats/delivery.md",
                          "correct that place; the format: docs/formats/delivery.md"),
                      path, static_cast<int64_t>(e.source().begin.line),
                      static_cast<int64_t>(e.source().begin.column)});
  }
  KeyReader top(root, path, "manifest.toml");
  const toml::table* head = root["delivery"].as_table();
  if (head == nullptr) return top.Missing("[delivery]");
  for (const auto& [key, node] : root) {
    if (key.str() != "delivery" && key.str() != "extract") {
      return Fail(Error{ErrorClass::kInput, kErrManifestUnknownKey,
                        Msg("清单中有不认识的键 {0}", "the manifest has an unknown key {0}",
                            std::string(key.str())),
                        Msg("请删去或改正该键；格式见 docs/formats/delivery.md",
                            "remove or correct it; the format: docs/formats/delivery.md"),
                        path, static_cast<int64_t>(key.source().begin.line), 0});
    }
  }
  Delivery delivery;
  KeyReader keys(*head, path, "[delivery]");
  CANBAO_ASSIGN(delivery.province, keys.Code("province", 6, true));
  CANBAO_ASSIGN(delivery.cutoff, keys.Day("cutoff"));
  CANBAO_ASSIGN(delivery.made_at, keys.Moment("made_at"));
  CANBAO_TRY(keys.NothingElse());
  const toml::node* list = root.get("extract");
  if (list == nullptr || (list->is_array() && list->as_array()->empty())) {
    return Fail(Error{ErrorClass::kInput, kErrDeliveryEmpty,
                      Msg("清单没有列出任何文件", "the manifest names no file"),
                      Msg("请为每个文件写一节 [[extract]]", "write an [[extract]] for each file"),
                      path, 0, 0});
  }
  if (!list->is_array_of_tables()) return top.Bad("extract", "[[extract]]");
  std::set<std::string> files;
  size_t number = 0;
  for (const toml::node& node : *list->as_array()) {
    ++number;
    CANBAO_ASSIGN(ExtractSpec spec,
                  ReadExtract(*node.as_table(), path, fmt::format("[[extract]] {}", number)));
    if (!files.insert(fs::path(spec.file).lexically_normal().string()).second) {
      return Fail(Error{ErrorClass::kInput, kErrFileTwice,
                        Msg("文件 {0} 列出了两次", "the file {0} is named twice", spec.file),
                        Msg("每个文件只列一次", "name each file once"), path,
                        static_cast<int64_t>(node.source().begin.line), 0});
    }
    delivery.extracts.push_back(std::move(spec));
  }
  return delivery;
}

Result<Delivery> LoadDelivery(const std::string& folder) {
  std::string path = (fs::path(folder) / "manifest.toml").string();
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    return Fail(Error{ErrorClass::kInput, kErrManifestMissing,
                      Msg("目录里没有清单 manifest.toml", "the folder has no manifest.toml"),
                      Msg("请指定交付目录，或补上清单；格式见 docs/formats/delivery.md",
                          "name the folder of a delivery, or add the manifest; its format: "
                          "docs/formats/delivery.md"),
                      path, 0, 0});
  }
  std::stringstream text;
  text << in.rdbuf();
  CANBAO_ASSIGN(Delivery delivery, ParseManifest(text.str(), path));
  delivery.folder = folder;
  for (ExtractSpec& spec : delivery.extracts) {
    spec.path = (fs::path(folder) / spec.file).string();
    std::error_code ec;
    if (!fs::is_regular_file(spec.path, ec)) {
      return Fail(Error{
          ErrorClass::kInput, kErrFileMissing,
          Msg("清单列出的文件不存在：{0}", "a file of the manifest is not there: {0}", spec.file),
          Msg("请补齐文件或改正清单", "add the file or correct the manifest"), spec.path, 0, 0});
    }
  }
  return delivery;
}

}  // namespace canbao::extract
