#include "extract/mapping/mappings.h"

#include <toml++/toml.h>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>

#include "base/digest.h"
#include "extract/delivery.h"
#include "extract/errors.h"
#include "identity/citizen_number.h"

namespace canbao::extract {
namespace {

namespace fs = std::filesystem;

std::string UpperAscii(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  return out;
}

// Decodes one character; invalid bytes stand for themselves.
char32_t NextCodePoint(std::string_view text, size_t* at) {
  auto byte = [&](size_t i) {
    return i < text.size() ? static_cast<uint8_t>(text[i]) : uint8_t{0};
  };
  uint8_t a = byte(*at);
  auto tail = [&](size_t i) { return (byte(*at + i) & 0xC0) == 0x80; };
  if (a >= 0xC2 && a < 0xE0 && tail(1)) {
    char32_t c = static_cast<char32_t>((a & 31) << 6 | (byte(*at + 1) & 63));
    *at += 2;
    return c;
  }
  if (a >= 0xE0 && a < 0xF0 && tail(1) && tail(2)) {
    char32_t c =
        static_cast<char32_t>((a & 15) << 12 | (byte(*at + 1) & 63) << 6 | (byte(*at + 2) & 63));
    *at += 3;
    return c;
  }
  ++*at;
  return a;
}

void AppendUtf8(char32_t c, std::string* out) {
  if (c < 0x80) {
    *out += static_cast<char>(c);
  } else if (c < 0x800) {
    *out += static_cast<char>(0xC0 | c >> 6);
    *out += static_cast<char>(0x80 | (c & 63));
  } else {
    *out += static_cast<char>(0xE0 | c >> 12);
    *out += static_cast<char>(0x80 | (c >> 6 & 63));
    *out += static_cast<char>(0x80 | (c & 63));
  }
}

bool IsDropped(char32_t c) {
  return c <= 0x20 || c == 0x7F || c == 0xA0 || c == 0x3000 || c == 0xFEFF ||
         (c >= 0x2000 && c <= 0x200F) || c == '*' || c == '"' || c == '\'';
}

std::string Fold(std::string_view utf8, bool brackets) {
  std::string out;
  int depth = 0;
  for (size_t at = 0; at < utf8.size();) {
    char32_t c = NextCodePoint(utf8, &at);
    if (c >= 0xFF01 && c <= 0xFF5E) c -= 0xFEE0;
    bool opens = c == '(' || c == '[' || c == '{' || c == 0x3010 || c == 0x3014;
    bool closes = c == ')' || c == ']' || c == '}' || c == 0x3011 || c == 0x3015;
    if (opens) ++depth;
    if (opens || closes || (depth > 0 && !brackets) || IsDropped(c)) {
      if (closes && depth > 0) --depth;
      continue;
    }
    if (c >= 'A' && c <= 'Z') c += 32;
    if (c < 0x10000 && (c < 0xD800 || c > 0xDFFF)) AppendUtf8(c, &out);
  }
  return out;
}

std::optional<scheme::State> StateFromName(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(scheme::State::kBenefitSuspended); ++i) {
    auto state = static_cast<scheme::State>(i);
    if (scheme::StateName(state) == name) return state;
  }
  return std::nullopt;
}

// A TOML file of the mappings, with what its errors need.
class DataFile {
 public:
  static Result<DataFile> Read(const fs::path& path) {
    DataFile file;
    file.path_ = path.string();
    std::ifstream in(path, std::ios::binary);
    if (!in) {
      return Fail(
          Error{ErrorClass::kEnvironment, kErrMapping,
                Msg("缺少映射数据文件", "a mapping file is missing"),
                Msg("请检查安装目录下的 data/mappings", "check data/mappings of the installation"),
                file.path_, 0, 0});
    }
    std::stringstream text;
    text << in.rdbuf();
    file.text_ = text.str();
    try {
      file.table_ = toml::parse(file.text_, file.path_);
    } catch (const toml::parse_error& e) {
      std::string why(e.description());
      return file.Bad(Text{why, why}, e.source().begin.line);
    }
    return file;
  }

  tl::unexpected<Error> Bad(const Text& why, int64_t line = 0) const {
    return Fail(
        Error{ErrorClass::kEnvironment, kErrMapping,
              Msg("映射数据文件有误：{0}", "the mapping file is wrong: {0}", why.Get()),
              Msg("格式见 docs/formats/mappings.md", "for its format see docs/formats/mappings.md"),
              path_, line, 0});
  }
  tl::unexpected<Error> Bad(const Text& why, const toml::node& node) const {
    return Bad(why, node.source().begin.line);
  }

  const toml::table& table() const { return table_; }
  const std::string& path() const { return path_; }
  std::string Digest() const {
    auto version = table_["version"].value<std::string>();
    return version.value_or("") + " " + Sha256Hex(text_);
  }

  Result<std::vector<std::string>> Strings(const toml::node& node, std::string_view what) const {
    const toml::array* list = node.as_array();
    std::vector<std::string> out;
    bool good = list != nullptr;
    if (good) {
      for (const toml::node& item : *list) {
        if (auto text = item.value<std::string>(); text && item.is_string()) {
          out.push_back(*text);
        } else {
          good = false;
        }
      }
    }
    if (!good) {
      return Bad(Msg("{0} 应是字符串列表", "{0} must be a list of strings", std::string(what)),
                 node);
    }
    return out;
  }

 private:
  std::string path_;
  std::string text_;
  toml::table table_;
};

Text UnknownKey(std::string_view key) {
  return Msg("不认识的键 {0}", "unknown key {0}", std::string(key));
}

struct HeaderNames {
  std::map<Field, std::vector<std::string>> names;
};

Result<HeaderNames> ReadNames(const DataFile& file, const toml::table& table) {
  HeaderNames out;
  for (const auto& [key, node] : table) {
    auto field = FieldFromName(key.str());
    if (!field) return file.Bad(UnknownKey(key.str()), node);
    CANBAO_ASSIGN(out.names[*field], file.Strings(node, key.str()));
  }
  return out;
}

void IndexHeaders(KindSchema* schema) {
  schema->by_header.clear();
  for (const FieldSpec& spec : schema->fields) {
    uint16_t priority = 0;
    auto add = [&](std::string_view header) {
      schema->by_header.emplace(FoldHeader(header), HeaderMatch{spec.field, priority++});
    };
    for (const std::string& header : spec.headers) add(header);
    add(FieldName(spec.field));
  }
}

Result<KindSchema> ReadKind(const DataFile& file, const toml::table& table,
                            const HeaderNames& common) {
  KindSchema schema;
  HeaderNames own;
  auto spec_of = [&](Field field) -> FieldSpec& {
    for (FieldSpec& spec : schema.fields) {
      if (spec.field == field) return spec;
    }
    schema.fields.push_back({});
    schema.fields.back().field = field;
    return schema.fields.back();
  };
  auto read = [&](std::string_view key, auto apply) -> Status {
    const toml::node* node = table.get(key);
    if (node == nullptr) return {};
    CANBAO_ASSIGN(auto names, file.Strings(*node, key));
    for (const std::string& name : names) {
      auto field = FieldFromName(name);
      if (!field) return file.Bad(UnknownKey(name), *node);
      apply(spec_of(*field));
    }
    return {};
  };
  for (const auto& [key, node] : table) {
    static const std::set<std::string_view> kKeys = {"required", "may_be_empty", "by_manifest",
                                                     "optional", "several",      "headers"};
    if (!kKeys.contains(key.str())) return file.Bad(UnknownKey(key.str()), node);
  }
  CANBAO_TRY(read("required", [](FieldSpec& s) { s.required = true; }));
  CANBAO_TRY(read("optional", [](FieldSpec&) {}));
  CANBAO_TRY(read("may_be_empty", [](FieldSpec& s) { s.may_be_empty = true; }));
  CANBAO_TRY(read("by_manifest", [](FieldSpec& s) { s.by_manifest = true; }));
  CANBAO_TRY(read("several", [](FieldSpec& s) { s.several = true; }));
  spec_of(Field::kChange);
  if (const toml::node* node = table.get("headers")) {
    if (!node->is_table()) return file.Bad(UnknownKey("headers"), *node);
    CANBAO_ASSIGN(own, ReadNames(file, *node->as_table()));
  }
  for (auto& [field, names] : own.names) {
    bool known = std::any_of(schema.fields.begin(), schema.fields.end(),
                             [&](const FieldSpec& s) { return s.field == field; });
    if (!known) return file.Bad(UnknownKey(FieldName(field)), table);
  }
  for (FieldSpec& spec : schema.fields) {
    if (auto at = own.names.find(spec.field); at != own.names.end()) {
      spec.headers = at->second;
    } else if (auto shared = common.names.find(spec.field); shared != common.names.end()) {
      spec.headers = shared->second;
    }
  }
  IndexHeaders(&schema);
  return schema;
}

Status ReadHeaders(const DataFile& file, SourceMapping* out) {
  const toml::table* fields = file.table()["fields"].as_table();
  const toml::table* kinds = file.table()["kinds"].as_table();
  if (fields == nullptr || kinds == nullptr) {
    return file.Bad(Msg("缺少 [fields] 或 [kinds]", "[fields] or [kinds] is missing"));
  }
  CANBAO_ASSIGN(HeaderNames common, ReadNames(file, *fields));
  std::set<Kind> seen;
  for (const auto& [key, node] : *kinds) {
    bool ok = false;
    Kind kind = KindFromName(key.str(), &ok);
    if (!ok || !node.is_table()) return file.Bad(UnknownKey(key.str()), node);
    CANBAO_ASSIGN(out->kinds[static_cast<size_t>(kind)], ReadKind(file, *node.as_table(), common));
    seen.insert(kind);
  }
  for (int i = 0; i < kKinds; ++i) {
    if (!seen.contains(static_cast<Kind>(i))) {
      return file.Bad(
          Msg("缺少种类 {0}", "kind {0} is missing", std::string(KindName(static_cast<Kind>(i)))));
    }
  }
  return {};
}

struct NamedCode {
  std::string_view name;
  int code;
};

// A table whose meanings have names that the code knows.
Status ReadEnum(const DataFile& file, std::string_view key, const std::vector<NamedCode>& names,
                CodeTable* out) {
  const toml::node* node = file.table().get(key);
  if (node == nullptr) return {};
  const toml::table* table = node->as_table();
  if (table == nullptr) return file.Bad(UnknownKey(key), *node);
  for (const auto& [name, values] : *table) {
    auto at = std::find_if(names.begin(), names.end(),
                           [&](const NamedCode& n) { return n.name == name.str(); });
    if (at == names.end()) return file.Bad(UnknownKey(name.str()), values);
    CANBAO_ASSIGN(auto texts, file.Strings(values, name.str()));
    for (const std::string& text : texts) out->Add(text, at->code);
  }
  return {};
}

// A table whose keys are the numbers themselves.
Status ReadNumbers(const DataFile& file, std::string_view key, CodeTable* out) {
  const toml::node* node = file.table().get(key);
  if (node == nullptr) return {};
  const toml::table* table = node->as_table();
  if (table == nullptr) return file.Bad(UnknownKey(key), *node);
  for (const auto& [name, values] : *table) {
    if (name.str() == "numeric") {
      out->set_numeric(values.value_or(false));
      continue;
    }
    int code = 0;
    for (char c : name.str()) {
      if (c < '0' || c > '9' || code > 99) return file.Bad(UnknownKey(name.str()), values);
      code = code * 10 + (c - '0');
    }
    if (code > 255) return file.Bad(UnknownKey(name.str()), values);
    CANBAO_ASSIGN(auto texts, file.Strings(values, name.str()));
    for (const std::string& text : texts) out->Add(text, code);
  }
  return {};
}

Status ReadCodes(const DataFile& file, Codes* out) {
  using identity::Sex;
  using scheme::Management;
  auto code = [](auto v) { return static_cast<int>(v); };
  CANBAO_TRY(ReadEnum(file, "sex",
                      {{"male", code(Sex::kMale)},
                       {"female", code(Sex::kFemale)},
                       {"unknown", code(Sex::kUnknown)}},
                      &out->sex));
  CANBAO_TRY(ReadEnum(file, "truth", {{"yes", 1}, {"no", 0}}, &out->truth));
  CANBAO_TRY(ReadEnum(file, "management",
                      {{"managed", code(Management::kManaged)},
                       {"dead", code(Management::kDead)},
                       {"cancelled", code(Management::kCancelled)},
                       {"moved_out", code(Management::kMovedOut)},
                       {"other", code(Management::kOther)}},
                      &out->management));
  CANBAO_TRY(ReadEnum(file, "student_status",
                      {{"studying", code(StudentStatus::kStudying)},
                       {"graduated", code(StudentStatus::kGraduated)},
                       {"left", code(StudentStatus::kLeft)}},
                      &out->student_status));
  CANBAO_TRY(ReadEnum(file, "military_category",
                      {{"soldier", code(MilitaryCategory::kSoldier)},
                       {"dependant", code(MilitaryCategory::kDependant)},
                       {"neutral", code(MilitaryCategory::kNeutral)}},
                      &out->military_category));
  CANBAO_TRY(ReadEnum(file, "change",
                      {{"add", code(Change::kAdd)},
                       {"update", code(Change::kUpdate)},
                       {"delete", code(Change::kDelete)}},
                      &out->change));
  CANBAO_TRY(ReadNumbers(file, "unit_type", &out->unit_type));
  CANBAO_TRY(ReadNumbers(file, "hukou_type", &out->hukou_type));
  CANBAO_TRY(ReadNumbers(file, "ethnicity", &out->ethnicity));
  CANBAO_TRY(ReadNumbers(file, "id_type", &out->id_type));
  if (auto v = file.table()["defaults"]["full_time_when_missing"].value<bool>()) {
    out->full_time_when_missing = *v;
  }
  return {};
}

Status ReadPlaceholders(const DataFile& file, Placeholders* out) {
  if (const toml::node* words = file.table().get("words")) {
    CANBAO_ASSIGN(auto list, file.Strings(*words, "words"));
    for (const std::string& word : list) out->AddWord(word);
  }
  out->set_limits(file.table()["repeated_digits_from"].value_or(size_t{6}),
                  file.table()["counted_digits_from"].value_or(size_t{6}));
  if (const toml::node* fields = file.table().get("digit_fields")) {
    CANBAO_ASSIGN(auto list, file.Strings(*fields, "digit_fields"));
    for (const std::string& name : list) {
      auto field = FieldFromName(name);
      if (!field) return file.Bad(UnknownKey(name), *fields);
      out->AddDigitField(*field);
    }
  }
  return {};
}

struct Family {
  std::vector<scheme::SchemeCode> schemes;
  std::shared_ptr<const StateTable> table;
};

Status ReadFamilies(const DataFile& file, std::map<std::string, Family>* out) {
  const toml::array* families = file.table()["family"].as_array();
  if (families == nullptr) return {};
  for (const toml::node& node : *families) {
    const toml::table* table = node.as_table();
    if (table == nullptr) return file.Bad(UnknownKey("family"), node);
    const toml::array* schemes = (*table)["schemes"].as_array();
    const toml::array* rules = (*table)["rules"].as_array();
    auto name = (*table)["name"].value<std::string>();
    if (!name || schemes == nullptr || rules == nullptr) {
      return file.Bad(
          Msg("[[family]] 需要 name、schemes、rules", "a [[family]] needs name, schemes and rules"),
          node);
    }
    Family family;
    for (const toml::node& code : *schemes) {
      auto n = code.value<int64_t>();
      if (!n || *n < 1 || *n > 999) return file.Bad(UnknownKey("schemes"), code);
      family.schemes.push_back(static_cast<scheme::SchemeCode>(*n));
    }
    auto states = std::make_shared<StateTable>();
    for (const toml::node& rule : *rules) {
      CANBAO_ASSIGN(auto words, file.Strings(rule, "rules"));
      if (words.size() != 4 || !states->AddRule({words[0], words[1], words[2], words[3]})) {
        return file.Bad(Msg("规则应为 [AAC008, AAC031, AAE116, 状态]",
                            "a rule is [AAC008, AAC031, AAE116, state]"),
                        rule);
      }
    }
    states->Finish();
    family.table = std::move(states);
    (*out)[*name] = std::move(family);
  }
  return {};
}

Status UseFamilies(const DataFile& file, const toml::node& node,
                   const std::map<std::string, Family>& families, SourceMapping* out) {
  CANBAO_ASSIGN(auto names, file.Strings(node, "families"));
  for (const std::string& name : names) {
    auto at = families.find(name);
    if (at == families.end()) return file.Bad(UnknownKey(name), node);
    for (scheme::SchemeCode code : at->second.schemes) out->states[code] = at->second.table;
  }
  return {};
}

// Headers that a source uses besides the common ones, before them in priority.
Status ReadExtraHeaders(const DataFile& file, const toml::table& table, SourceMapping* out) {
  for (const auto& [key, node] : table) {
    bool ok = false;
    Kind kind = KindFromName(key.str(), &ok);
    if (!ok || !node.is_table()) return file.Bad(UnknownKey(key.str()), node);
    CANBAO_ASSIGN(HeaderNames extra, ReadNames(file, *node.as_table()));
    KindSchema& schema = out->kinds[static_cast<size_t>(kind)];
    for (auto& [field, names] : extra.names) {
      bool known = false;
      for (FieldSpec& spec : schema.fields) {
        if (spec.field != field) continue;
        spec.headers.insert(spec.headers.begin(), names.begin(), names.end());
        known = true;
      }
      if (!known) return file.Bad(UnknownKey(FieldName(field)), node);
    }
    // The source's own names win over a common name of another field.
    std::map<std::string, HeaderMatch, std::less<>> common;
    IndexHeaders(&schema);
    for (auto& [field, names] : extra.names) {
      uint16_t priority = 0;
      for (const std::string& name : names) {
        schema.by_header[FoldHeader(name)] = HeaderMatch{field, priority++};
      }
    }
  }
  return {};
}

}  // namespace

std::string FoldHeader(std::string_view utf8) {
  std::string out = Fold(utf8, false);
  return out.empty() ? Fold(utf8, true) : out;
}

const FieldSpec* KindSchema::Find(Field field) const {
  for (const FieldSpec& spec : fields) {
    if (spec.field == field) return &spec;
  }
  return nullptr;
}

HeaderMatch KindSchema::Match(std::string_view header) const {
  auto at = by_header.find(FoldHeader(header));
  return at == by_header.end() ? HeaderMatch{} : at->second;
}

CodeTable::CodeTable() { ascii_.fill(-1); }

void CodeTable::Add(std::string_view value, int code) {
  std::string key = UpperAscii(value);
  auto at = std::lower_bound(entries_.begin(), entries_.end(), key,
                             [](const auto& e, const std::string& k) { return e.first < k; });
  if (at != entries_.end() && at->first == key) {
    at->second = code;
  } else {
    entries_.insert(at, {key, code});
  }
  if (key.size() == 1 && static_cast<uint8_t>(key[0]) < 128) {
    ascii_[static_cast<uint8_t>(key[0])] = static_cast<int16_t>(code);
    if (key[0] >= 'A' && key[0] <= 'Z') {
      ascii_[static_cast<uint8_t>(key[0] + 32)] = static_cast<int16_t>(code);
    }
  }
}

int CodeTable::FindLong(std::string_view value) const {
  if (numeric_ && !value.empty() && value.size() <= 3) {
    int n = 0;
    bool digits = true;
    for (char c : value) {
      if (c < '0' || c > '9') {
        digits = false;
        break;
      }
      n = n * 10 + (c - '0');
    }
    if (digits) return n <= 255 ? n : -1;
  }
  char upper[64];
  if (value.size() > sizeof upper) return -1;
  for (size_t i = 0; i < value.size(); ++i) {
    char c = value[i];
    upper[i] = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  }
  std::string_view key(upper, value.size());
  auto at = std::lower_bound(
      entries_.begin(), entries_.end(), key,
      [](const auto& e, std::string_view k) { return std::string_view(e.first) < k; });
  return at != entries_.end() && at->first == key ? at->second : -1;
}

bool StateTable::AddRule(const std::array<std::string, 4>& rule) {
  auto state = StateFromName(rule[3]);
  if (!state) return false;
  rules_.push_back({{rule[0], rule[1], rule[2]}, *state});
  return true;
}

std::shared_ptr<const StateTable> StateTable::Preceded(
    const std::vector<std::array<std::string, 4>>& rules) const {
  auto out = std::make_shared<StateTable>();
  for (const auto& rule : rules) {
    if (!out->AddRule(rule)) return nullptr;
  }
  out->rules_.insert(out->rules_.end(), rules_.begin(), rules_.end());
  out->Finish();
  return out;
}

scheme::State StateTable::FindSlow(StateValue enrolment, StateValue contribution,
                                   StateValue benefit) const {
  auto fits = [](const std::string& when, StateValue v) {
    if (when == "*") return true;
    if (when == "absent") return v.absent;
    if (when == "empty") return !v.absent && v.text.empty();
    return !v.absent && v.text == when;
  };
  for (const Rule& rule : rules_) {
    if (fits(rule.when[0], enrolment) && fits(rule.when[1], contribution) &&
        fits(rule.when[2], benefit)) {
      return rule.state;
    }
  }
  return scheme::State::kUnmapped;
}

void StateTable::Finish() {
  static constexpr std::string_view kDigits = "0123456789";
  auto value = [](int cls) {
    if (cls == 11) return StateValue{{}, true};
    if (cls == 10) return StateValue{};
    return StateValue{kDigits.substr(static_cast<size_t>(cls), 1), false};
  };
  size_t at = 0;
  for (int a = 0; a < kClasses; ++a) {
    for (int b = 0; b < kClasses; ++b) {
      for (int c = 0; c < kClasses; ++c) {
        table_[at++] = static_cast<uint8_t>(FindSlow(value(a), value(b), value(c)));
      }
    }
  }
}

void Placeholders::AddWord(std::string_view word) {
  if (word.empty()) return;
  std::string upper = UpperAscii(word);
  word_of_digits_ |= IsDigits(upper);
  longest_ = std::max(longest_, upper.size());
  auto first = static_cast<uint8_t>(upper[0]);
  first_[first] = true;
  if (first >= 'A' && first <= 'Z') first_[first + 32] = true;
  if (upper.size() >= 3) {
    auto third = static_cast<uint8_t>(upper[2]);
    third_[third] = true;
    if (third >= 'A' && third <= 'Z') third_[third + 32] = true;
  }
  words_.push_back(std::move(upper));
}

bool Placeholders::IsWord(std::string_view value) const {
  for (const std::string& word : words_) {
    if (word.size() != value.size()) continue;
    bool same = true;
    for (size_t i = 0; same && i < word.size(); ++i) {
      char c = value[i];
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
      same = c == word[i];
    }
    if (same) return true;
  }
  return false;
}

bool Placeholders::IsDigits(std::string_view value) const {
  if (value[0] < '0' || value[0] > '9') return false;
  bool repeated = true;
  bool counted = value[0] == '1' && value.size() >= counted_;
  for (size_t i = 1; i < value.size() && (repeated || counted); ++i) {
    repeated = repeated && value[i] == value[0];
    // 1 2 … 9 0 1 2 …
    counted = counted && value[i] == static_cast<char>('0' + (i + 1) % 10);
  }
  return repeated || counted;
}

bool FitsPattern(std::string_view pattern, std::string_view text) {
  size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == text;
  if (text.size() < star || text.substr(0, star) != pattern.substr(0, star)) return false;
  std::string_view rest = pattern.substr(star + 1);
  for (size_t at = star; at <= text.size(); ++at) {
    if (FitsPattern(rest, text.substr(at))) return true;
  }
  return false;
}

struct Mappings::Override {
  std::string pattern;
  std::shared_ptr<const SourceMapping> mapping;
};

Mappings::Mappings() = default;
Mappings::~Mappings() = default;

namespace {

std::vector<fs::path> SourceFiles(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(folder / "sources", ec)) {
    if (entry.path().extension() == ".toml") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// What a file of sources/ changes in the mapping of its sources.
Status ApplySource(const DataFile& file, const std::map<std::string, Family>& families,
                   SourceMapping* out) {
  if (const toml::table* extra = file.table()["headers"].as_table()) {
    CANBAO_TRY(ReadExtraHeaders(file, *extra, out));
  }
  CANBAO_TRY(ReadCodes(file, &out->codes));
  std::map<std::string, Family> own_families = families;
  CANBAO_TRY(ReadFamilies(file, &own_families));
  if (const toml::node* list = file.table().get("families")) {
    CANBAO_TRY(UseFamilies(file, *list, own_families, out));
  }
  if (const toml::array* rules = file.table()["first_rules"].as_array()) {
    std::vector<std::array<std::string, 4>> first;
    for (const toml::node& rule : *rules) {
      CANBAO_ASSIGN(auto words, file.Strings(rule, "first_rules"));
      if (words.size() != 4 || !StateFromName(words[3])) {
        return file.Bad(Msg("规则应为 [AAC008, AAC031, AAE116, 状态]",
                            "a rule is [AAC008, AAC031, AAE116, state]"),
                        rule);
      }
      first.push_back({words[0], words[1], words[2], words[3]});
    }
    std::map<const StateTable*, std::shared_ptr<const StateTable>> made;
    for (auto& [scheme, table] : out->states) {
      auto& preceded = made[table.get()];
      if (preceded == nullptr) preceded = table->Preceded(first);
      table = preceded;
    }
  }
  return {};
}

}  // namespace

Result<std::string> Mappings::OwnDigest(const std::string& own) {
  std::string text;
  if (own.empty()) return text;
  for (const fs::path& path : SourceFiles(own)) {
    CANBAO_ASSIGN(DataFile file, DataFile::Read(path));
    text += path.filename().string() + " " + file.Digest() + "\n";
  }
  return text.empty() ? text : Sha256Hex(text).substr(0, 16);
}

Result<std::shared_ptr<const Mappings>> Mappings::Load(const std::string& data_dir,
                                                       const std::string& own) {
  fs::path folder = fs::path(data_dir) / "mappings";
  auto out = std::make_shared<Mappings>();
  auto common = std::make_shared<SourceMapping>();
  auto read = [&](const fs::path& path) -> Result<DataFile> {
    CANBAO_ASSIGN(DataFile file, DataFile::Read(path));
    out->files_.emplace_back(path.lexically_relative(data_dir).string(), file.Digest());
    return file;
  };
  CANBAO_ASSIGN(DataFile headers, read(folder / "headers.toml"));
  CANBAO_TRY(ReadHeaders(headers, common.get()));
  CANBAO_ASSIGN(DataFile codes, read(folder / "codes.toml"));
  CANBAO_TRY(ReadCodes(codes, &common->codes));
  CANBAO_ASSIGN(DataFile placeholders, read(folder / "placeholders.toml"));
  CANBAO_TRY(ReadPlaceholders(placeholders, &common->placeholders));
  CANBAO_ASSIGN(DataFile states, read(folder / "states.toml"));
  std::map<std::string, Family> families;
  CANBAO_TRY(ReadFamilies(states, &families));
  const toml::array* sources = states.table()["source"].as_array();
  std::vector<std::pair<std::string, const toml::node*>> patterns;
  if (sources != nullptr) {
    for (const toml::node& node : *sources) {
      const toml::table* table = node.as_table();
      auto pattern = table == nullptr ? std::nullopt : (*table)["pattern"].value<std::string>();
      const toml::node* list = table == nullptr ? nullptr : table->get("families");
      if (!pattern || list == nullptr) {
        return states.Bad(
            Msg("[[source]] 需要 pattern、families", "a [[source]] needs pattern and families"),
            node);
      }
      if (*pattern == "*") {
        CANBAO_TRY(UseFamilies(states, *list, families, common.get()));
      } else {
        patterns.emplace_back(*pattern, list);
      }
    }
  }
  for (auto& [pattern, list] : patterns) {
    auto own = std::make_shared<SourceMapping>(*common);
    CANBAO_TRY(UseFamilies(states, *list, families, own.get()));
    out->overrides_.push_back({pattern, std::move(own)});
  }
  for (const fs::path& path : SourceFiles(folder)) {
    CANBAO_ASSIGN(DataFile file, read(path));
    auto pattern = file.table()["pattern"].value<std::string>();
    if (!pattern) return file.Bad(Msg("缺少 pattern", "pattern is missing"));
    auto mapping = std::make_shared<SourceMapping>(*common);
    CANBAO_TRY(ApplySource(file, families, mapping.get()));
    out->overrides_.push_back({*pattern, std::move(mapping)});
  }
  if (!own.empty()) {
    for (const fs::path& path : SourceFiles(own)) {
      CANBAO_ASSIGN(DataFile file, DataFile::Read(path));
      out->files_.emplace_back("own/" + path.filename().string(), file.Digest());
      auto pattern = file.table()["pattern"].value<std::string>();
      if (!pattern) return file.Bad(Msg("缺少 pattern", "pattern is missing"));
      auto mapping = std::make_shared<SourceMapping>(*BestOf(out->overrides_, *pattern, common));
      CANBAO_TRY(ApplySource(file, families, mapping.get()));
      out->own_.push_back({*pattern, std::move(mapping)});
    }
  }
  out->common_ = std::move(common);
  std::sort(out->files_.begin(), out->files_.end());
  return out;
}

std::shared_ptr<const SourceMapping> Mappings::For(std::string_view source) const {
  return BestOf(own_, source, BestOf(overrides_, source, common_));
}

std::shared_ptr<const SourceMapping> Mappings::BestOf(
    const std::vector<Override>& overrides, std::string_view source,
    const std::shared_ptr<const SourceMapping>& otherwise) {
  const Override* best = nullptr;
  for (const Override& o : overrides) {
    // The longest pattern fits best; of equal ones the last.
    if (FitsPattern(o.pattern, source) &&
        (best == nullptr || o.pattern.size() >= best->pattern.size())) {
      best = &o;
    }
  }
  return best == nullptr ? otherwise : best->mapping;
}

}  // namespace canbao::extract
