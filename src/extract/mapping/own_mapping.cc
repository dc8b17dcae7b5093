#include "extract/mapping/own_mapping.h"

#include <toml++/toml.h>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <vector>

#include "base/file.h"
#include "extract/delivery.h"
#include "extract/errors.h"
#include "extract/mapping/field.h"
#include "extract/mapping/mappings.h"

namespace canbao::extract {
namespace {

namespace fs = std::filesystem;

Error Refused(const Text& why) {
  return Error{ErrorClass::kInput,
               kErrMapping,
               why,
               Msg("请从列出的字段和含义中选择。", "choose among the fields and meanings offered."),
               {},
               0,
               0};
}

// Which table of codes.toml reads a field; nullptr when none does.
const char* CodeTableOf(Field field, Kind kind) {
  switch (field) {
    case Field::kSex:
      return "sex";
    case Field::kManagement:
      return "management";
    case Field::kFullTime:
      return "truth";
    case Field::kStatus:
      return kind == Kind::kStudent ? "student_status" : nullptr;
    case Field::kCategory:
      return kind == Kind::kMilitary ? "military_category" : nullptr;
    case Field::kChange:
      return "change";
    case Field::kUnitType:
      return "unit_type";
    case Field::kHukouType:
      return "hukou_type";
    case Field::kEthnicity:
      return "ethnicity";
    case Field::kIdType:
      return "id_type";
    default:
      return nullptr;
  }
}

toml::table* TableAt(toml::table* in, std::string_view key) {
  auto [at, made] = in->emplace(key, toml::table{});
  (void)made;
  return at->second.as_table();
}

void RemoveText(toml::array* list, const std::string& text) {
  for (auto it = list->begin(); it != list->end();) {
    auto value = it->value<std::string>();
    it = value && *value == text ? list->erase(it) : it + 1;
  }
}

// Puts `text` into the list under `key` and takes it out of the others.
void PutText(toml::table* table, std::string_view key, const std::string& text) {
  for (auto&& [name, node] : *table) {
    if (toml::array* list = node.as_array()) RemoveText(list, text);
  }
  auto [at, made] = table->emplace(key, toml::array{});
  (void)made;
  at->second.as_array()->push_back(text);
  for (auto it = table->begin(); it != table->end();) {
    const toml::array* list = it->second.as_array();
    it = list != nullptr && list->empty() ? table->erase(it) : std::next(it);
  }
}

// "1/9/" as rules: what has no value may also have no column.
std::vector<std::vector<std::string>> RulesOf(const std::string& codes, const std::string& state) {
  std::vector<std::vector<std::string>> rules = {{}};
  std::stringstream parts(codes + "/");
  std::string part;
  for (int i = 0; i < 3; ++i) {
    part.clear();
    std::getline(parts, part, '/');
    std::vector<std::vector<std::string>> longer;
    for (const auto& rule : rules) {
      for (const std::string& value :
           part.empty() ? std::vector<std::string>{"empty", "absent"} : std::vector{part}) {
        longer.push_back(rule);
        longer.back().push_back(value);
      }
    }
    rules = std::move(longer);
  }
  for (auto& rule : rules) rule.push_back(state);
  return rules;
}

void PutRule(toml::table* file, const std::vector<std::string>& rule) {
  auto [at, made] = file->emplace("first_rules", toml::array{});
  (void)made;
  toml::array* rules = at->second.as_array();
  for (auto it = rules->begin(); it != rules->end();) {
    const toml::array* old = it->as_array();
    bool same = old != nullptr && old->size() == 4;
    for (size_t i = 0; same && i < 3; ++i) same = old->get(i)->value<std::string>() == rule[i];
    it = same ? rules->erase(it) : it + 1;
  }
  toml::array words;
  for (const std::string& word : rule) words.push_back(word);
  rules->push_back(std::move(words));
}

std::string FileNameOf(const std::string& source) {
  std::string name;
  for (char c : source) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       c == '-' || c == '_';
    name += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return name + ".toml";
}

Status Apply(const OwnMapping& m, toml::table* file) {
  for (const auto& [header, name] : m.columns) {
    auto field = FieldFromName(name);
    if (!field || header.empty()) {
      return Fail(Refused(Msg("没有字段 {0}", "there is no field {0}", name)));
    }
    PutText(TableAt(TableAt(file, "headers"), KindName(m.kind)), name, header);
  }
  for (const auto& [name, values] : m.codes) {
    auto field = FieldFromName(name);
    if (!field) return Fail(Refused(Msg("没有字段 {0}", "there is no field {0}", name)));
    for (const auto& [code, meaning] : values) {
      if (*field == Field::kEnrolmentState) {
        for (const auto& rule : RulesOf(code, meaning)) PutRule(file, rule);
        continue;
      }
      const char* table = CodeTableOf(*field, m.kind);
      if (table == nullptr) {
        return Fail(Refused(Msg("字段 {0} 没有代码表", "field {0} has no codes", name)));
      }
      PutText(TableAt(file, table), meaning, code);
    }
  }
  return {};
}

}  // namespace

Status AddOwnMapping(const std::string& policy_dir, const std::string& own_dir,
                     const OwnMapping& mapping) {
  const std::string name = FileNameOf(mapping.source);
  const std::string path = own_dir + "/sources/" + name;
  toml::table file;
  if (FileExists(path)) {
    CANBAO_ASSIGN(std::string text, ReadWholeFile(path));
    try {
      file = toml::parse(text, path);
    } catch (const toml::parse_error& e) {
      return Fail(Error{ErrorClass::kEnvironment,
                        kErrMapping,
                        Msg("已保存的映射文件有误：{0}", "the mapping that was kept is wrong: {0}",
                            std::string(e.description())),
                        {},
                        path,
                        e.source().begin.line,
                        0});
    }
  }
  // `*` in a source's name would be a pattern; a manifest allows none.
  file.insert_or_assign("pattern", mapping.source);
  file.insert_or_assign("version", Date::Today().ToIso());
  CANBAO_TRY(Apply(mapping, &file));
  std::stringstream text;
  text << "# What was mapped for this source in the console; docs/formats/mappings.md\n"
       << file << "\n";
  // Read once before it is put in force.
  const std::string trial = own_dir + "/trial-" + name;
  CANBAO_TRY(RemoveTree(trial));
  CANBAO_TRY(MakeFolders(trial + "/sources", 0700));
  CANBAO_TRY(WriteFileAtomic(trial + "/sources/" + name, text.str(), 0600));
  auto read = Mappings::Load(policy_dir, trial);
  CANBAO_TRY(RemoveTree(trial));
  if (!read) {
    if (read.error().file.find("/trial-") == std::string::npos)
      return Fail(std::move(read.error()));
    return Fail(Refused(read.error().message));
  }
  CANBAO_TRY(MakeFolders(own_dir + "/sources", 0700));
  return WriteFileAtomic(path, text.str(), 0600);
}

}  // namespace canbao::extract
