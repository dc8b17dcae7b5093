// How a table of the outcome files becomes a table of the register: which columns, in which binary
// form, and by which columns two versions of a row are the same. One list per table, read by the
// loader (encoding) and by the difference (SQL).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace canbao::reg {

enum class Form {
  kBucket,     // person_key % 8, or the line's where the row has no person of its own
  kCutoff,     // of the run
  kValidFrom,  // = the cut-off
  kValidTo,    // infinity; the difference sets another where later cut-offs are known
  kInt2,
  kInt4,
  kInt8,
  kBool,
  kDate,
  kText,
  kRef,     // row_ref with the extract's number in the register
  kNumber,  // sealed block
  kPhone,   // sealed block, or text when it does not fit one
  kSealedText,
  kSealedValue,  // a value, sealed, where the row's field is an identity field; else NULL
  kEmployer,     // key of (employer_no, employer_name, uscc) in canbao.employer
  kRegion,       // the row's region, else its extract's, else the province
  kFacts,        // several values in one: LayoutColumn::facts
  // Of a name, for search (register/person_search.h):
  kNameKey,   // folded
  kPinyin,    // syllables without tones and blanks
  kInitials,  // first letters of the syllables
};

enum Traits : unsigned {
  kRequired = 0,
  kZeroIsNull = 1,    // 0 or "" is missing
  kIdentityless = 2,  // says where or when, not what: not compared between versions
  kOptional = 4       // 0 where the outcome file has no such column
};

// A value inside of a kFacts column, in the order in which they lie there.
constexpr uint8_t kText = 0;         // a text behind its length in two bytes
constexpr uint8_t kClearText = 255;  // the same, empty where the value is kept sealed
struct Fact {
  const char* from;  // in the outcome file
  uint8_t width;     // 1, 2 or 4 bytes, big-endian; or a text
  unsigned traits = kRequired;
};

struct LayoutColumn {
  const char* name;  // in the register
  Form form;
  const char* from;  // in the outcome file
  unsigned traits = kRequired;
  std::vector<Fact> facts = {};
};

struct TableLayout {
  const char* name;       // in the register
  const char* view;       // what is read, and the name in reports: the table itself or its view
  const char* source;     // in the outcome files
  const char* bucket_of;  // person_key or row_ref
  bool per_cutoff;        // classification: whole new leaves for each cut-off
  std::vector<LayoutColumn> columns;
  std::vector<const char*> keys;  // after the load, on a leaf: {0} is the leaf
  // County of each row: where its person counts, instead of what the encoder put there.
  bool placed_by_person = false;
};

// In the order in which they are loaded.
const std::vector<TableLayout>& Layouts();
inline constexpr int kBuckets = 8;

// "a, b, c" of the columns that make two versions the same.
std::string ComparedColumns(const TableLayout& table);
// All columns in order; validity as given in SQL, or the column itself where empty.
std::string AllColumns(const TableLayout& table, const std::string& valid_from = "",
                       const std::string& valid_to = "");

}  // namespace canbao::reg
