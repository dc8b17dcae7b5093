// The policy of reading: which headers mean which field, what coded values mean, which state codes
// mean which state, and what stands for "nothing". Loaded from data/mappings (format:
// docs/formats/mappings.md), immutable afterwards and shared by all threads.
//
// Fails (kErrMapping, kEnvironment) when a file is missing or not as documented: the data belong to
// the installation, so that is never the agency's fault.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "extract/mapping/field.h"
#include "extract/row.h"
#include "scheme/scheme.h"

namespace canbao::extract {

// Folds a header for comparison: half width, lower case, without blanks, zero-width characters,
// byte-order marks, `*` and what stands in brackets (unless nothing else is there).
std::string FoldHeader(std::string_view utf8);

struct FieldSpec {
  Field field = Field::kNone;
  bool required = false;             // the column must be there, a row without a value is rejected
  bool may_be_empty = false;         // … but not for this one
  bool by_manifest = false;          // the column may be missing when the manifest fixes the value
  bool several = false;              // several columns may hold it, read by priority
  std::vector<std::string> headers;  // as printed, in the order of priority
};

// What a header means in files of one kind.
struct HeaderMatch {
  Field field = Field::kNone;
  uint16_t priority = 0;
};

struct KindSchema {
  std::vector<FieldSpec> fields;
  std::map<std::string, HeaderMatch, std::less<>> by_header;  // folded header

  const FieldSpec* Find(Field field) const;
  HeaderMatch Match(std::string_view header) const;
};

// Values → small numbers. Single ASCII characters cost one load, others a search.
class CodeTable {
 public:
  CodeTable();
  void Add(std::string_view value, int code);
  void set_numeric(bool on) { numeric_ = on; }
  // -1 when no mapping reads the value.
  int Find(std::string_view value) const {
    if (value.size() == 1) {
      int code = ascii_[static_cast<uint8_t>(value[0]) & 127];
      if (code >= 0 && static_cast<uint8_t>(value[0]) < 128) return code;
    }
    return FindLong(value);
  }

 private:
  int FindLong(std::string_view value) const;
  std::array<int16_t, 128> ascii_;
  std::vector<std::pair<std::string, int>> entries_;  // sorted by value, upper case
  bool numeric_ = false;
};

// Enumerated meanings of the code tables, in the order codes.toml must name them.
enum class StudentStatus : uint8_t { kStudying, kGraduated, kLeft };
enum class MilitaryCategory : uint8_t { kSoldier, kDependant, kNeutral };

struct Codes {
  CodeTable sex;                // identity::Sex
  CodeTable truth;              // 0, 1
  CodeTable management;         // scheme::Management
  CodeTable student_status;     // StudentStatus
  CodeTable military_category;  // MilitaryCategory
  CodeTable change;             // Change
  CodeTable unit_type;
  CodeTable hukou_type;
  CodeTable ethnicity;
  CodeTable id_type;  // AAC058
  bool full_time_when_missing = true;
};

// A value of a state column as a rule sees it: absent = the file has no such column.
struct StateValue {
  std::string_view text;
  bool absent = false;
};

// One family's rules. Values of one character (nearly all) are looked up in a table.
class StateTable {
 public:
  // `rule` has four words: AAC008, AAC031, AAE116, state. False when the state is none.
  bool AddRule(const std::array<std::string, 4>& rule);
  // The same table with `rules` tried before its own; none when one of them has no state.
  std::shared_ptr<const StateTable> Preceded(
      const std::vector<std::array<std::string, 4>>& rules) const;
  void Finish();  // builds the table
  scheme::State Find(StateValue enrolment, StateValue contribution, StateValue benefit) const {
    int a = Class(enrolment), b = Class(contribution), c = Class(benefit);
    if ((a | b | c) >= 0) {
      return static_cast<scheme::State>(
          table_[static_cast<size_t>((a * kClasses + b) * kClasses + c)]);
    }
    return FindSlow(enrolment, contribution, benefit);
  }
  // The same by classes: a digit, kEmpty or kAbsent.
  scheme::State Of(size_t enrolment, size_t contribution, size_t benefit) const {
    return static_cast<scheme::State>(
        table_[(enrolment * kClasses + contribution) * kClasses + benefit]);
  }
  static constexpr uint8_t kEmpty = 10;
  static constexpr uint8_t kAbsent = 11;

 private:
  static constexpr int kClasses = 12;
  static int Class(StateValue v) {
    if (v.absent) return kAbsent;
    if (v.text.empty()) return kEmpty;
    if (v.text.size() == 1 && v.text[0] >= '0' && v.text[0] <= '9') return v.text[0] - '0';
    return -1;
  }
  scheme::State FindSlow(StateValue enrolment, StateValue contribution, StateValue benefit) const;

  struct Rule {
    std::array<std::string, 3> when;
    scheme::State state;
  };
  std::vector<Rule> rules_;
  std::array<uint8_t, kClasses * kClasses * kClasses> table_{};
};

class Placeholders {
 public:
  void AddWord(std::string_view word);
  void set_limits(size_t repeated, size_t counted) {
    repeated_ = std::max<size_t>(3, repeated);
    counted_ = std::max<size_t>(3, counted);
  }
  void AddDigitField(Field field) { digit_field_[static_cast<size_t>(field)] = true; }

  // Whether a value of this field that is all digits may be one.
  bool MayBeDigits(Field field) const {
    return digit_field_[static_cast<size_t>(field)] || word_of_digits_;
  }
  // `value` is trimmed UTF-8 and not empty. The first bytes rule out nearly everything.
  bool IsPlaceholder(Field field, std::string_view value) const {
    auto byte = [&](size_t i) { return static_cast<uint8_t>(value[i]); };
    if (value.size() <= longest_ && first_[byte(0)] && (value.size() < 3 || third_[byte(2)]) &&
        IsWord(value)) {
      return true;
    }
    if (!digit_field_[static_cast<size_t>(field)] || value.size() < repeated_) return false;
    bool repeated = value[1] == value[0] && value[2] == value[0];
    bool counted = value[1] == '2' && value[2] == '3';
    return (repeated || counted) && IsDigits(value);
  }

 private:
  bool IsWord(std::string_view value) const;
  bool IsDigits(std::string_view value) const;
  std::vector<std::string> words_;
  std::array<bool, 256> first_{}, third_{};
  std::array<bool, kFields> digit_field_{};
  bool word_of_digits_ = false;
  size_t longest_ = 0;
  size_t repeated_ = 6;
  size_t counted_ = 6;
};

// Everything that reading one file needs, for its source.
struct SourceMapping {
  std::array<KindSchema, kKinds> kinds;
  Codes codes;
  Placeholders placeholders;
  // By scheme; no table = every state is unmapped.
  std::map<scheme::SchemeCode, std::shared_ptr<const StateTable>> states;

  const KindSchema& Of(Kind kind) const { return kinds[static_cast<size_t>(kind)]; }
  const StateTable* StatesOf(scheme::SchemeCode scheme) const {
    auto at = states.find(scheme);
    return at == states.end() ? nullptr : at->second.get();
  }
};

class Mappings {
 public:
  // `own`: a folder whose sources/*.toml come on top of the policy's, for the sources they fit; it
  // may be empty or missing.
  static Result<std::shared_ptr<const Mappings>> Load(const std::string& data_dir,
                                                      const std::string& own = {});
  // What the files of `own` say, as a short digest; empty when there are none.
  static Result<std::string> OwnDigest(const std::string& own);
  Mappings();
  ~Mappings();

  // The mapping of a source: the common one, changed by the file of sources/ whose pattern fits
  // best.
  std::shared_ptr<const SourceMapping> For(std::string_view source) const;
  // Names, versions and digests of the files that were read, for manifests: sorted by name.
  const std::vector<std::pair<std::string, std::string>>& files() const { return files_; }

 private:
  struct Override;
  static std::shared_ptr<const SourceMapping> BestOf(
      const std::vector<Override>& overrides, std::string_view source,
      const std::shared_ptr<const SourceMapping>& otherwise);
  std::shared_ptr<const SourceMapping> common_;
  std::vector<Override> overrides_;
  std::vector<Override> own_;  // before those
  std::vector<std::pair<std::string, std::string>> files_;
};

// `*` stands for any characters.
bool FitsPattern(std::string_view pattern, std::string_view text);

}  // namespace canbao::extract
