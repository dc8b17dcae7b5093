// Columns for people: which SQL expressions a column needs and how their values become text. Lists
// and the view of a person are made of the same columns.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "register/database.h"
#include "register/read.h"

namespace canbao::reg {

struct ExtractName {
  std::string file;
  std::string source;
};

// What values need to become text; made once for a list.
struct TextContext {
  const FieldCipher* cipher = nullptr;
  bool mask = false;                        // numbers and phones
  bool screen = false;                      // masked for a screen: names and addresses too
  std::map<int64_t, ExtractName> extracts;  // by extract_id
  static Result<TextContext> Load(Connection& c, const FieldCipher& cipher, bool mask);
  static Result<TextContext> LoadNames(Connection& c);  // of extracts; opens nothing
};

using Values =
    std::vector<std::optional<std::string_view>>;  // of the column's expressions, as text

struct TextColumn {
  ListColumn name;
  std::vector<std::string> sql;
  std::function<std::string(const TextContext&, const Values&)> text;
};

// Of the household register's management, and of a bit of scheme::Flag; empty for others.
Text ManagementLabel(int m);
Text FlagLabel(int bit);

// SELECT list of the columns.
std::string SelectList(const std::vector<TextColumn>& columns);
// Row `i` of the result of such a SELECT.
std::vector<std::string> TextRow(const TextContext& context, const std::vector<TextColumn>& columns,
                                 const Rows& rows, int i);

namespace col {
TextColumn Plain(const char* zh, const char* en, const std::string& sql);
// Of a person; masked on a screen.
TextColumn Name(const std::string& sql);
TextColumn Address(const std::string& sql);
TextColumn DayOf(const char* zh, const char* en, const std::string& sql);
TextColumn YesNo(const char* zh, const char* en, const std::string& sql);
TextColumn Number(const std::string& number, const std::string& document);
TextColumn Phone(const std::string& sql);
TextColumn Sealed(const char* zh, const char* en, const std::string& sql, bool is_number);
// A value of the field that `field` names: masked as the field's own column would be.
TextColumn Value(const char* zh, const char* en, const std::string& field, const std::string& clear,
                 const std::string& sealed);
TextColumn Sex(const std::string& sql);
TextColumn File(const std::string& ref);
TextColumn Source(const std::string& ref);
TextColumn Line(const std::string& ref);
TextColumn Outcome(const std::string& sql);
TextColumn State(const char* zh, const char* en, const std::string& sql);
TextColumn Uncovered(const std::string& sql);
TextColumn Duplicates(const std::string& sql);
TextColumn Discrepancy(const std::string& sql);
TextColumn Reject(const std::string& sql);
TextColumn Kind(const std::string& sql);
TextColumn Evidence(const std::string& sql);
TextColumn Management(const std::string& sql);
TextColumn Flags(const std::string& sql);
TextColumn FormColumn(const std::string& sql);
}  // namespace col

}  // namespace canbao::reg
