#include "register/row_export.h"

#include <charconv>
#include <optional>

#include "register/internal/row_query.h"
#include "register/internal/sql_day.h"
#include "register/internal/table_text.h"
#include "scheme/person.h"
#include "scheme/scheme.h"

namespace canbao::reg {
namespace {

tl::unexpected<Error> UnknownWord(std::string_view word) {
  return Fail(ErrorClass::kUsage, "CB-REGISTER-1301",
              Msg("名单没有这个条件：{0}", "no list has this filter: {0}", std::string(word)),
              Msg("请使用名单页面上的条件。", "use the filters of the list's page."));
}

// False for what is no number from `low` to `high`.
bool ReadNumber(std::string_view text, int low, int high, int* out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size() && *out >= low && *out <= high;
}

std::optional<ListKind> ListNamed(std::string_view name) {
  static constexpr std::pair<std::string_view, ListKind> kLists[] = {
      {"to-verify", ListKind::kToVerify},    {"uncovered", ListKind::kUncovered},
      {"duplicates", ListKind::kDuplicates}, {"discrepancies", ListKind::kDiscrepancies},
      {"conflicts", ListKind::kConflicts},   {"rejects", ListKind::kRejects}};
  for (const auto& [word, kind] : kLists) {
    if (word == name) return kind;
  }
  return std::nullopt;
}

bool ReadBranch(std::string_view name, int* out) {
  for (int b = 0; b < scheme::kBranches; ++b) {
    if (scheme::BranchName(static_cast<scheme::Branch>(b)) == name) {
      *out = b;
      return true;
    }
  }
  return false;
}

bool ReadColumn(std::string_view text, int high, int* out) {
  if (text == "not_yet_verified") {
    *out = scheme::kNotYetVerified;
    return true;
  }
  return ReadNumber(text, 1, high, out);
}

bool ReadFilter(const std::string& name, const std::string& value, RowFilter* f) {
  if (name == "division") {
    f->division = value;
    return value.size() <= 12 && value.find_first_not_of("0123456789") == std::string::npos;
  }
  if (name == "cutoff") {
    f->cutoff = ParseIsoDate(value);
    return f->cutoff.has_value();
  }
  if (name == "population") {
    f->hukou = value == "hukou";
    return f->hukou || value == "all";
  }
  if (name == "branch") return ReadBranch(value, &f->branch);
  if (name == "number") return ReadNumber(value, 0, 65535, &f->number);
  if (name == "age_from") return ReadNumber(value, 0, 150, &f->age_from);
  if (name == "age_to") return ReadNumber(value, 0, 150, &f->age_to);
  if (name == "scheme") return ReadNumber(value, 100, 999, &f->scheme);
  if (name == "group") return ReadColumn(value, 26, &f->group);
  // Where a page begins is nothing to an export.
  return name == "page" || name == "after" || name == "before" || name == "limit";
}

constexpr int kFetchRows = 5000;
constexpr int64_t kManyRows = 100000;

class StreamedRows : public ListReader {
 public:
  StreamedRows(Connection& c, TextContext context, std::vector<TextColumn> columns)
      : c_(c), context_(std::move(context)), columns_(std::move(columns)) {
    for (const TextColumn& column : columns_) names_.push_back(column.name);
  }
  const std::vector<ListColumn>& columns() const override { return names_; }

  Result<bool> Next(std::vector<std::string>* row) override {
    if (!rows_ || at_ == rows_->size()) {
      if (rows_ && rows_->size() < kFetchRows) return false;
      CANBAO_ASSIGN(Rows fetched, c_.Exec(fmt::format("FETCH {} FROM exported", kFetchRows)));
      rows_.emplace(std::move(fetched));
      at_ = 0;
      if (rows_->size() == 0) return false;
    }
    *row = TextRow(context_, columns_, *rows_, at_++);
    return true;
  }

 private:
  Connection& c_;
  TextContext context_;
  std::vector<TextColumn> columns_;
  std::vector<ListColumn> names_;
  std::optional<Rows> rows_;
  int at_ = 0;
};

}  // namespace

Result<RowFilter> FilterOf(std::string_view list, std::string_view column,
                           const std::map<std::string, std::string>& query) {
  RowFilter f;
  if (list == "form-2-1" || list == "form-2-2") {
    f.form = list == "form-2-1" ? 21 : 22;
    if (!ReadColumn(column, f.form == 21 ? 25 : 26, &f.column)) return UnknownWord(column);
    if (f.form == 21 && f.column == scheme::kNotYetVerified) return UnknownWord(column);
  } else {
    auto kind = ListNamed(list);
    if (!kind) return UnknownWord(list);
    f.list = *kind;
  }
  for (const auto& [name, value] : query) {
    if (!value.empty() && !ReadFilter(name, value, &f)) return UnknownWord(name);
  }
  return f;
}

Result<std::unique_ptr<ListReader>> StreamRows(Connection& c, const FieldCipher& cipher,
                                               const RowFilter& filter,
                                               const ExportOptions& options) {
  CANBAO_ASSIGN(Date cutoff, CutoffFor(c, filter.cutoff));
  CANBAO_ASSIGN(Rows run, c.Exec("SELECT province FROM canbao.run WHERE superseded_by IS NULL AND "
                                 "cutoff = " +
                                 SqlDay(cutoff)));
  CANBAO_ASSIGN(RowQuery q, QueryFor(filter, cutoff, run.size() > 0 ? run.Int(0, 0) : 0, false));
  std::string where = q.where;
  if (!options.persons.empty()) {
    if (filter.form == 0 && filter.list == ListKind::kRejects) return UnknownWord("keys");
    std::string keys;
    for (int64_t key : options.persons) keys += (keys.empty() ? "" : ",") + std::to_string(key);
    where += fmt::format(" AND {}.person_key IN ({})", q.alias, keys);
  }
  std::string select = q.select;
  std::string order;
  std::string outside;
  for (size_t i = 0; i < q.keys.size(); ++i) {
    select += fmt::format(", {} AS k{}", q.keys[i], i);
    order += (i == 0 ? "" : ", ") + q.keys[i];
    outside += fmt::format("{}{}.k{}", i == 0 ? "" : ", ", q.alias, i);
  }
  CANBAO_ASSIGN(TextContext context, TextContext::Load(c, cipher, !options.clear));
  context.screen = !options.clear;
  // All rows are wanted, not the first: plans that sort and hash win.
  CANBAO_TRY(c.Run("SET LOCAL cursor_tuple_fraction = 1; SET LOCAL jit = off"));
  // The planner takes a policy for a hundred times more selective than it is and would look up each
  // of a million persons by key.
  if (options.rows >= kManyRows) {
    CANBAO_TRY(c.Run("SET LOCAL enable_nestloop = off; SET LOCAL work_mem = '256MB'"));
  }
  CANBAO_TRY(c.Run(
      fmt::format("DECLARE exported NO SCROLL CURSOR FOR SELECT {} FROM "
                  "(SELECT {} {} WHERE {} ORDER BY {}) {} {} ORDER BY {}",
                  SelectList(q.columns), select, q.from, where, order, q.alias, q.joins, outside)));
  return std::make_unique<StreamedRows>(c, std::move(context), std::move(q.columns));
}

}  // namespace canbao::reg
