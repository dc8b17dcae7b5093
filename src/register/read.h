// What the register knows, for the command: figures, runs and their accounts, lists of people and
// rows, everything about one person. All of it as of a cut-off.
//
// Each function opens its own session and may be called from any thread; a ListReader belongs to
// one. Tables for people are generic: column names in both languages and rows of text, with sealed
// fields opened here and masked on request. Errors: CB-REGISTER-06xx.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/date.h"
#include "base/error.h"
#include "base/row_file.h"
#include "base/text.h"
#include "register/database.h"
#include "scheme/scheme.h"

namespace canbao::reg {

// ---- cut-offs, runs, figures ----

struct FigureRow {
  uint32_t county = 0;  // 0 = unknown
  uint32_t city = 0;
  bool hukou = false;  // persons of H
  int form = 0;        // 21, 22
  int column = 0;      // 27 of form 22 = not yet verified
  int64_t count = 0;
  friend auto operator<=>(const FigureRow&, const FigureRow&) = default;
};

struct AccountRow {
  int ordinal = 0;
  int extract_id = 0;
  std::string file, kind, source, stage, sha256;
  uint32_t region = 0;
  int64_t rows_in = 0, linked = 0, unlinked = 0, rejected = 0, reference = 0;
  std::string outcomes;  // JSON object
};

struct RunRow {
  int run_id = 0;
  std::string name;
  uint32_t province = 0;
  Date cutoff;
  std::string made_at, loaded_at, rules, result_digest;
  int64_t persons = 0;
  uint64_t highest_key = 0;
  bool current = false;  // of its cut-off; otherwise another run replaced it
  std::string manifest;  // JSON as the comparison wrote it
  std::vector<AccountRow> accounts;
};

Result<std::vector<Date>> Cutoffs(Database& db);                 // ascending
Result<std::vector<RunRow>> Runs(Database& db);                  // newest last
Result<std::optional<RunRow>> RunAt(Database& db, Date cutoff);  // the current one
// `cutoff` itself when it is known; the newest when missing; refuses any other (0601), and a
// register without a run (0602).
Result<Date> ResolveCutoff(Database& db, Date cutoff);

// Sorted. Only counts above 0.
Result<std::vector<FigureRow>> FiguresAt(Database& db, Date cutoff);
// The same, counted anew from each person's classification.
Result<std::vector<FigureRow>> RecountFigures(Database& db, Date cutoff);

// ---- lists ----

enum class ListKind { kToVerify, kUncovered, kDuplicates, kDiscrepancies, kRejects, kConflicts };

struct ListQuery {
  ListKind kind = ListKind::kToVerify;
  Date cutoff;           // missing = the newest
  std::string division;  // 2, 4, 6, 9 or 12 digits; "330000" = the province; empty = all
  int branch = -1;       // scheme::Branch, for kUncovered; -1 = any
  int number = 0;        // kDuplicates: one bit of scheme::Duplicate; kDiscrepancies: its kind
  bool mask = false;     // numbers and phones as 330102********1111
};

struct ListColumn {
  std::string zh;
  std::string en;
};

class ListReader {
 public:
  virtual ~ListReader() = default;
  virtual const std::vector<ListColumn>& columns() const = 0;
  // The next row, one text for each column; false at the end.
  virtual Result<bool> Next(std::vector<std::string>* row) = 0;
};

// Streams with a cursor: memory does not grow with the list. In the order of division and person
// key (rejects and conflicts: of file and line).
Result<std::unique_ptr<ListReader>> OpenList(Database& db, const ListQuery& query);

// ---- one person ----

struct PersonSection {
  Text title;
  std::vector<ListColumn> columns;
  std::vector<std::vector<std::string>> rows;
};

struct PersonView {
  uint64_t person_key = 0;
  std::vector<PersonSection> sections;  // identity first; empty ones are left out
};

// Everything known of the persons that ever carried the number (18 or 15 digits, or another
// document's). Empty when nobody did.
Result<std::vector<PersonView>> PersonByNumber(Database& db, const std::string& number,
                                               bool mask = false);
Result<std::optional<PersonView>> PersonByKey(Database& db, uint64_t person_key, bool mask = false);

// ---- the master of persons, for the next run ----

Result<uint64_t> HighestPersonKey(Database& db);  // over all runs; 0 without one
// A row file "master": number u64, document text, person_key u64; one row for each number ever
// given (the newest holder), by number. Persons without number or document are left out. Written
// beside its place and renamed.
Result<int64_t> ExportMaster(Database& db, const std::string& path, const RunKey& key);

// ---- names of enumerations ----

Text OutcomeLabel(int outcome);
Text DiscrepancyLabel(int kind);
Text DuplicateLabel(int bit);  // one bit of scheme::Duplicate, or of one consolidated
Text RejectLabel(int reason);

}  // namespace canbao::reg
