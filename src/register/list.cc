// Lists of people and rows: one SELECT for each kind, streamed through a cursor.
#include <array>

#include "register/internal/list_columns.h"
#include "register/internal/sql_day.h"
#include "register/read.h"
#include "scheme/person.h"

namespace canbao::reg {
namespace {

// Is the place of six digits `county` in the range; below the county, the hukou decides.
std::string InRange(const DivisionRange& r, const std::string& county, const std::string& hukou) {
  if (r.all) return "true";
  if (r.high - r.low >= 1000000) {
    return fmt::format("{}::bigint * 1000000 >= {} AND {}::bigint * 1000000 < {}", county, r.low,
                       county, r.high);
  }
  if (hukou.empty()) {  // rows know their county at most
    return fmt::format("{}::bigint = {}", county, r.low / 1000000);
  }
  return fmt::format("{} >= {} AND {} < {}", hukou, r.low, hukou, r.high);
}

struct ListSql {
  std::vector<TextColumn> columns;
  std::string from;  // FROM … WHERE … ORDER BY …
};

std::string PersonJoin(const std::string& cutoff) {
  return "JOIN canbao.person p ON p.bucket = c.bucket AND p.person_key = c.person_key AND " +
         Valid("p", cutoff);
}

ListSql ToVerify(const std::string& cutoff, const DivisionRange& range) {
  ListSql q;
  q.columns = ListColumns(ListKind::kToVerify);
  q.from = fmt::format(
      "FROM canbao.classification c {} WHERE c.cutoff = {} AND c.flags & {} <> 0 AND {} "
      "ORDER BY c.county, c.person_key",
      PersonJoin(cutoff), cutoff, static_cast<int>(scheme::kToVerify),
      InRange(range, "c.county", "p.hukou"));
  return q;
}

ListSql UncoveredPersons(const std::string& cutoff, const DivisionRange& range, int branch) {
  ListSql q;
  q.columns = ListColumns(ListKind::kUncovered);
  q.from = fmt::format(
      "FROM canbao.classification c {} WHERE c.cutoff = {} AND c.uncovered & {} <> 0 AND {} "
      "ORDER BY c.county, c.person_key",
      PersonJoin(cutoff), cutoff, branch < 0 ? 255 : 1 << branch,
      InRange(range, "c.county", "p.hukou"));
  return q;
}

ListSql DuplicateCases(const std::string& cutoff, const DivisionRange& range, int kind) {
  ListSql q;
  q.columns = ListColumns(ListKind::kDuplicates);
  q.from = fmt::format(
      "FROM canbao.duplicate_case d JOIN canbao.classification c ON c.bucket = d.bucket AND "
      "c.person_key = d.person_key AND c.cutoff = {0} {1} WHERE {2} AND ({3} = 0 OR d.kind = {3}) "
      "AND {4} ORDER BY c.county, c.person_key, d.kind",
      cutoff, PersonJoin(cutoff), Valid("d", cutoff), kind, InRange(range, "c.county", "p.hukou"));
  return q;
}

ListSql Discrepancies(const std::string& cutoff, const DivisionRange& range, int kind) {
  ListSql q;
  q.columns = ListColumns(ListKind::kDiscrepancies);
  q.from = fmt::format(
      "FROM canbao.discrepancy d "
      "LEFT JOIN canbao.person p ON p.bucket = d.bucket AND p.person_key = d.person_key AND {0} "
      "WHERE {1} AND ({2} = 0 OR d.kind = {2}) AND ({3}) ORDER BY d.county, d.source_ref, d.kind",
      Valid("p", cutoff), Valid("d", cutoff), kind,
      InRange(range, "d.county", "coalesce(p.hukou, d.county::bigint * 1000000)"));
  return q;
}

ListSql Rejects(const std::string& cutoff, const DivisionRange& range) {
  ListSql q;
  q.columns = ListColumns(ListKind::kRejects);
  q.from = fmt::format("FROM canbao.reject_row r WHERE {} AND {} ORDER BY r.source_ref",
                       Valid("r", cutoff), InRange(range, "r.region", ""));
  return q;
}

ListSql Conflicts(const std::string& cutoff, const DivisionRange& range) {
  ListSql q;
  q.columns = ListColumns(ListKind::kConflicts);
  q.from = fmt::format(
      "FROM canbao.unlinked_row u WHERE {} AND u.outcome = 6 AND {} ORDER BY u.source_ref",
      Valid("u", cutoff), InRange(range, "u.region", ""));
  return q;
}

class CursorList : public ListReader {
 public:
  CursorList(std::unique_ptr<Connection> c, TextContext context, std::vector<TextColumn> columns)
      : c_(std::move(c)), context_(std::move(context)), columns_(std::move(columns)) {
    for (const TextColumn& column : columns_) names_.push_back(column.name);
  }
  const std::vector<ListColumn>& columns() const override { return names_; }

  Result<bool> Next(std::vector<std::string>* row) override {
    if (!rows_ || at_ == rows_->size()) {
      if (rows_ && rows_->size() < kFetch) return false;
      CANBAO_ASSIGN(Rows fetched, c_->Exec("FETCH 2000 FROM list"));
      rows_.emplace(std::move(fetched));
      at_ = 0;
      if (rows_->size() == 0) return false;
    }
    *row = TextRow(context_, columns_, *rows_, at_++);
    return true;
  }

 private:
  static constexpr int kFetch = 2000;
  std::unique_ptr<Connection> c_;
  TextContext context_;
  std::vector<TextColumn> columns_;
  std::vector<ListColumn> names_;
  std::optional<Rows> rows_;
  int at_ = 0;
};

}  // namespace

Result<std::unique_ptr<ListReader>> OpenList(Database& db, const ListQuery& query) {
  CANBAO_ASSIGN(Date cutoff, ResolveCutoff(db, query.cutoff));
  CANBAO_ASSIGN(DivisionRange range, RangeOf(query.division));
  CANBAO_ASSIGN(auto c, db.Connect("canbao list"));
  CANBAO_ASSIGN(TextContext context, TextContext::Load(*c, db.cipher(), query.mask));
  std::string day = SqlDay(cutoff);
  ListSql sql;
  switch (query.kind) {
    case ListKind::kToVerify:
      sql = ToVerify(day, range);
      break;
    case ListKind::kUncovered:
      sql = UncoveredPersons(day, range, query.branch);
      break;
    case ListKind::kDuplicates:
      sql = DuplicateCases(day, range, query.number);
      break;
    case ListKind::kDiscrepancies:
      sql = Discrepancies(day, range, query.number);
      break;
    case ListKind::kRejects:
      sql = Rejects(day, range);
      break;
    case ListKind::kConflicts:
      sql = Conflicts(day, range);
      break;
  }
  // The whole list will be read: plan for that, not for the first rows.
  CANBAO_TRY(
      c->Run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; "
             "SET LOCAL cursor_tuple_fraction = 1.0; DECLARE list NO SCROLL CURSOR FOR "
             "SELECT " +
             SelectList(sql.columns) + " " + sql.from));
  return std::unique_ptr<ListReader>(
      new CursorList(std::move(c), std::move(context), std::move(sql.columns)));
}

}  // namespace canbao::reg
