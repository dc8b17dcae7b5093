// Lists of people and rows: one SELECT for each kind, streamed through a cursor.
#include <array>

#include "register/internal/sql_day.h"
#include "register/internal/table_text.h"
#include "register/read.h"
#include "scheme/person.h"

namespace canbao::reg {
namespace {

struct DivisionRange {
  bool all = true;
  int64_t low = 0, high = 0;  // 12 digits, half open
};

// "330000" is the province 33, "330100" the city 3301: the zeros behind say that all of it is
// meant.
Result<DivisionRange> RangeOf(std::string digits) {
  DivisionRange r;
  if (digits.empty()) return r;
  bool ok = digits.size() <= 12;
  for (char c : digits) ok = ok && c >= '0' && c <= '9';
  if (ok && digits.size() > 6) {
    while (digits.size() > 6 && digits.ends_with("000")) digits.resize(digits.size() - 3);
  }
  if (ok && digits.size() == 6) {
    while (digits.size() > 2 && digits.ends_with("00")) digits.resize(digits.size() - 2);
  }
  if (!ok || (digits.size() != 2 && digits.size() != 4 && digits.size() != 6 &&
              digits.size() != 9 && digits.size() != 12)) {
    return Fail(ErrorClass::kUsage, "CB-REGISTER-0604",
                Msg("不是行政区划代码：{0}", "not a division code: {0}", digits),
                Msg("请给出 2、4、6、9 或 12 位数字。", "Give 2, 4, 6, 9 or 12 digits."));
  }
  r.all = false;
  r.low = std::stoll(digits);
  r.high = r.low + 1;
  for (size_t i = digits.size(); i < 12; ++i) {
    r.low *= 10;
    r.high *= 10;
  }
  return r;
}

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

std::string Valid(const char* alias, const std::string& cutoff) {
  return fmt::format("{0}.valid_from <= {1} AND {0}.valid_to > {1}", alias, cutoff);
}

std::string PersonJoin(const std::string& cutoff) {
  return "JOIN canbao.person p ON p.bucket = c.bucket AND p.person_key = c.person_key AND " +
         Valid("p", cutoff);
}

std::vector<TextColumn> PersonColumns() {
  return {col::Plain("人员编号", "person_key", "c.person_key"),
          col::Number("p.number", "p.document"),
          col::Plain("姓名", "name", "p.name"),
          col::Sex("p.sex"),
          col::DayOf("出生日期", "birth_date", "p.birth"),
          col::Plain("区县", "county", "c.county"),
          col::Plain("户籍地区划", "hukou_division", "p.hukou"),
          col::Plain("地址", "address", "p.address"),
          col::Phone("p.phone")};
}

void Append(std::vector<TextColumn>& to, std::vector<TextColumn> more) {
  for (TextColumn& c : more) to.push_back(std::move(c));
}

std::vector<TextColumn> PlaceColumns(const std::string& ref) {
  return {col::Source(ref), col::File(ref), col::Line(ref)};
}

ListSql ToVerify(const std::string& cutoff, const DivisionRange& range) {
  ListSql q;
  q.columns = PersonColumns();
  Append(q.columns, {col::Management("p.management"), col::FormColumn("c.form_2_2"),
                     col::Flags(fmt::format("c.flags & {}", ~(scheme::kH | scheme::kToVerify)))});
  Append(q.columns, PlaceColumns("p.source_ref"));
  q.from = fmt::format(
      "FROM canbao.classification c {} WHERE c.cutoff = {} AND c.flags & {} <> 0 AND {} "
      "ORDER BY c.county, c.person_key",
      PersonJoin(cutoff), cutoff, static_cast<int>(scheme::kToVerify),
      InRange(range, "c.county", "p.hukou"));
  return q;
}

ListSql UncoveredPersons(const std::string& cutoff, const DivisionRange& range, int branch) {
  ListSql q;
  q.columns = PersonColumns();
  Append(q.columns,
         {col::Uncovered("c.uncovered"), col::FormColumn("c.form_2_2"), col::Flags("c.flags")});
  Append(q.columns, PlaceColumns("p.source_ref"));
  q.from = fmt::format(
      "FROM canbao.classification c {} WHERE c.cutoff = {} AND c.uncovered & {} <> 0 AND {} "
      "ORDER BY c.county, c.person_key",
      PersonJoin(cutoff), cutoff, branch < 0 ? 255 : 1 << branch,
      InRange(range, "c.county", "p.hukou"));
  return q;
}

ListSql DuplicateCases(const std::string& cutoff, const DivisionRange& range, int kind) {
  ListSql q;
  q.columns = PersonColumns();
  Append(q.columns,
         {col::Duplicates("d.kind"), col::Plain("参保关系", "relations", "d.relations")});
  q.from = fmt::format(
      "FROM canbao.duplicate_case d JOIN canbao.classification c ON c.bucket = d.bucket AND "
      "c.person_key = d.person_key AND c.cutoff = {0} {1} WHERE {2} AND ({3} = 0 OR d.kind = {3}) "
      "AND {4} ORDER BY c.county, c.person_key, d.kind",
      cutoff, PersonJoin(cutoff), Valid("d", cutoff), kind, InRange(range, "c.county", "p.hukou"));
  return q;
}

// A discrepancy of nobody lies where its file comes from.
ListSql Discrepancies(const std::string& cutoff, const DivisionRange& range, int kind) {
  ListSql q;
  q.columns = {col::Discrepancy("d.kind"),
               col::Plain("字段", "field", "d.field"),
               col::ClearOrSealed("原值", "delivered", "d.delivered", "d.delivered_sealed"),
               col::ClearOrSealed("应为", "prevailing", "d.prevailing", "d.prevailing_sealed"),
               col::Plain("人员编号", "person_key", "nullif(d.person_key, 0)"),
               col::Number("p.number", "p.document"),
               col::Plain("姓名", "name", "p.name"),
               col::Plain("区县", "county", "coalesce(c.county, e.region)")};
  Append(q.columns, PlaceColumns("d.source_ref"));
  q.from = fmt::format(
      "FROM canbao.discrepancy d LEFT JOIN canbao.classification c ON c.bucket = d.bucket AND "
      "c.person_key = d.person_key AND c.cutoff = {0} "
      "LEFT JOIN canbao.person p ON p.bucket = d.bucket AND p.person_key = d.person_key AND {1} "
      "LEFT JOIN canbao.extract e ON e.extract_id = d.source_ref >> 40 "
      "WHERE {2} AND ({3} = 0 OR d.kind = {3}) AND {4} "
      "ORDER BY coalesce(c.county, e.region), d.source_ref, d.kind",
      cutoff, Valid("p", cutoff), Valid("d", cutoff), kind,
      range.all ? "true"
                : "(" +
                      InRange(range, "coalesce(c.county, e.region)",
                              "coalesce(p.hukou, e.region::bigint * 1000000)") +
                      ")");
  return q;
}

ListSql Rejects(const std::string& cutoff, const DivisionRange& range) {
  ListSql q;
  q.columns = PlaceColumns("r.source_ref");
  Append(q.columns,
         {col::Plain("列", "column", "r.\"column\""), col::Plain("字段", "field", "r.field"),
          col::Reject("r.reason"), col::Sealed("原文", "text", "r.text", false)});
  q.from = fmt::format("FROM canbao.reject_row r WHERE {} AND {} ORDER BY r.source_ref",
                       Valid("r", cutoff), InRange(range, "r.region", ""));
  return q;
}

ListSql Conflicts(const std::string& cutoff, const DivisionRange& range) {
  ListSql q;
  q.columns = PlaceColumns("u.source_ref");
  Append(q.columns,
         {col::Kind("u.kind"), col::Outcome("u.outcome"),
          col::Sealed("证件号码", "number", "u.number_text", true),
          col::Plain("姓名", "name", "u.name"), col::Sex("u.sex"),
          col::DayOf("出生日期", "birth_date", "u.birth"), col::Plain("险种", "scheme", "u.scheme"),
          col::Plain("统筹区", "region", "u.region"), col::Phone("u.phone"),
          col::Plain("单位编号", "employer_no", "u.employer_no"),
          col::Plain("户号", "household_no", "u.household_no"),
          col::Plain("地址", "address", "u.address")});
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
