// Pages of cases and their counts. A place sees a case by the person's county, or by a region of
// the source or of a party: two ways that are read one beside the other, each along an index.
#include <algorithm>
#include <charconv>

#include "casework/internal/case_row.h"
#include "casework/store.h"
#include "identity/citizen_number.h"

namespace canbao::casework {
namespace {

bool WiderThanCounty(const Divisions& d) { return d.high - d.low > 1000000; }
int64_t LowCounty(const Divisions& d) { return d.low / 1000000; }
// The last county that begins within.
int64_t HighCounty(const Divisions& d) { return (d.high - 1) / 1000000; }

// Places are parameters, so that one plan does for all of them.
std::string In(int64_t low, int64_t high, std::vector<reg::Param>* params) {
  params->emplace_back(low);
  params->emplace_back(high);
  return fmt::format("BETWEEN ${} AND ${}", params->size() - 1, params->size());
}
std::string InCounties(const Divisions& d, std::vector<reg::Param>* params) {
  params->emplace_back(static_cast<int32_t>(LowCounty(d)));
  params->emplace_back(static_cast<int32_t>(HighCounty(d)));
  return fmt::format("BETWEEN ${} AND ${}", params->size() - 1, params->size());
}

std::string ByCounty(const Divisions& d, std::vector<reg::Param>* params) {
  std::string sql = "c.county " + InCounties(d, params);
  if (d.high - d.low < 1000000) sql += " AND c.division " + In(d.low, d.high - 1, params);
  return sql;
}

// Only where a whole county at least is asked for: regions are no finer.
std::string Elsewhere(const Divisions& d, std::vector<reg::Param>* params) {
  params->emplace_back(static_cast<int32_t>(LowCounty(d)));
  params->emplace_back(static_cast<int32_t>(HighCounty(d)));
  return fmt::format("canbao.cases_elsewhere(${}, ${})", params->size() - 1, params->size());
}
std::string ByRegion(const Divisions& d, std::vector<reg::Param>* params) {
  return "c.case_id IN (SELECT case_id FROM " + Elsewhere(d, params) + ")";
}
bool HasRegions(const Divisions& d) {
  // A register holds one province, and cases lie in its counties.
  return d.high - d.low >= 1000000 && d.high - d.low < 10000000000;
}

std::string Filters(const CaseFilter& f, std::vector<reg::Param>* params) {
  std::string sql;
  if (f.kind) sql += fmt::format(" AND c.kind = {}", static_cast<int>(*f.kind));
  if (f.number) sql += fmt::format(" AND c.number = {}", *f.number);
  if (f.shown) sql += fmt::format(" AND c.shown = {}", *f.shown);
  if (f.person) {
    params->emplace_back(static_cast<int64_t>(*f.person));
    sql += fmt::format(" AND c.person_key = ${}", params->size());
  }
  if (!f.assignee.empty()) {
    params->emplace_back(f.assignee);
    sql += fmt::format(" AND c.assignee = ${}", params->size());
  }
  if (f.overdue) {
    params->emplace_back(f.today.ToIso());
    sql +=
        fmt::format(" AND c.due < ${}::date AND c.shown NOT IN (5, 6, 8, 9, 10)", params->size());
  }
  return sql;
}

struct Key {
  int64_t county = 0;
  int64_t id = 0;
};

std::optional<Key> ParseKey(std::string_view text) {
  Key key;
  const size_t dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  auto number = [](std::string_view t, int64_t* out) {
    auto [end, ec] = std::from_chars(t.data(), t.data() + t.size(), *out);
    return ec == std::errc() && end == t.data() + t.size();
  };
  if (!number(text.substr(0, dot), &key.county) || !number(text.substr(dot + 1), &key.id)) {
    return std::nullopt;
  }
  return key;
}
std::string KeyText(const CaseRow& r) { return fmt::format("{}.{}", r.county, r.id); }

Result<int64_t> Count(reg::Connection& c, const CaseFilter& f) {
  int64_t count = 0;
  const bool summed = WiderThanCounty(f.where) || f.where.high - f.where.low == 1000000;
  std::vector<reg::Param> params;
  const std::string filters = Filters(f, &params);
  if (summed && f.assignee.empty() && !f.overdue && !f.person) {
    const std::string where = ByCounty(f.where, &params);
    CANBAO_ASSIGN(
        reg::Rows sums,
        c.Exec("SELECT coalesce(sum(count), 0) FROM canbao.case_count c WHERE " + where + filters,
               params));
    count = sums.Int(0, 0);
  } else {
    const std::string where = ByCounty(f.where, &params);
    CANBAO_ASSIGN(reg::Rows all,
                  c.Exec("SELECT count(*) FROM canbao.case c WHERE " + where + filters, params));
    count = all.Int(0, 0);
  }
  if (HasRegions(f.where)) {
    const std::string from = filters.empty()
                                 ? Elsewhere(f.where, &params)
                                 : "canbao.case c WHERE " + ByRegion(f.where, &params) + filters;
    CANBAO_ASSIGN(reg::Rows more, c.Exec("SELECT count(*) FROM " + from, params));
    count += more.Int(0, 0);
  }
  return count;
}

}  // namespace

namespace internal {

std::string CaseColumns() {
  return "c.case_id, c.kind, c.number, c.shown, c.person_key, w.name, w.number, w.document, "
         "c.county, c.found_cutoff, c.assignee, c.due, c.pays_benefits, c.version";
}

CaseRow RowOf(const reg::Rows& rows, int i, const reg::FieldCipher& cipher, Date today) {
  CaseRow r;
  r.id = rows.Int(i, 0);
  r.kind = static_cast<CaseKind>(rows.Int(i, 1));
  r.number = static_cast<int>(rows.Int(i, 2));
  r.shown = static_cast<State>(rows.Int(i, 3));
  r.person_key = static_cast<uint64_t>(rows.Int(i, 4));
  r.name = rows.Text(i, 5);
  if (!rows.IsNull(i, 7)) {
    r.citizen_number = cipher.OpenText(rows.Bytes(i, 7)).value_or("");
  } else if (!rows.IsNull(i, 6)) {
    if (auto number = cipher.OpenNumber(rows.Bytes(i, 6))) {
      r.citizen_number = identity::ToText(identity::PersonNumber{*number});
    }
  }
  r.county = static_cast<uint32_t>(rows.Int(i, 8));
  r.found_cutoff = ParseIsoDate(rows.Text(i, 9));
  r.assignee = rows.Text(i, 10);
  r.due = ParseIsoDate(rows.Text(i, 11));
  r.pays_benefits = rows.Bool(i, 12);
  r.version = static_cast<int>(rows.Int(i, 13));
  const bool closed = r.shown == 5 || r.shown == 6 || r.shown >= 8;
  r.overdue = !closed && r.due.has_value() && r.due < today;
  return r;
}

}  // namespace internal

Result<CasePage> ListCases(reg::Connection& c, const reg::FieldCipher& cipher,
                           const CaseFilter& f) {
  std::vector<reg::Param> params;
  std::string filters = Filters(f, &params);
  const bool all = filters.empty();
  const bool backward = !f.before.empty();
  const std::string& from = backward ? f.before : f.after;
  if (!from.empty()) {
    std::optional<Key> key = ParseKey(from);
    if (!key) {
      return Fail(ErrorClass::kUsage, "CB-CASEWORK-0017",
                  Msg("翻页位置无效", "no place to go on from"));
    }
    filters += fmt::format(" AND (c.county, c.case_id) {} ({}, {})", backward ? "<" : ">",
                           key->county, key->id);
  }
  const char* order = backward ? "DESC" : "ASC";
  const int wanted = f.limit + 1;
  auto branch = [&](const std::string& rows) {
    return fmt::format(
        "(SELECT c.case_id, c.county FROM {0}{1} ORDER BY c.county {2}, c.case_id {2} LIMIT {3})",
        rows, filters, order, wanted);
  };
  std::string keys = branch("canbao.case c WHERE " + ByCounty(f.where, &params));
  if (HasRegions(f.where)) {
    keys += " UNION ALL " + branch(all ? Elsewhere(f.where, &params) + " c WHERE true"
                                       : "canbao.case c WHERE " + ByRegion(f.where, &params));
  }
  CANBAO_ASSIGN(
      reg::Rows rows,
      c.Exec(fmt::format("WITH k AS MATERIALIZED (SELECT * FROM ({1}) k ORDER BY county {2}, "
                         "case_id {2} LIMIT {3}) SELECT {0} FROM k JOIN canbao.case c "
                         "ON c.case_id = k.case_id "
                         "LEFT JOIN canbao.case_persons(ARRAY(SELECT case_id FROM k)) w "
                         "ON w.case_id = c.case_id ORDER BY c.county {2}, c.case_id {2}",
                         internal::CaseColumns(), keys, order, wanted),
             params));
  CasePage page;
  for (int i = 0; i < std::min(rows.size(), f.limit); ++i) {
    page.rows.push_back(internal::RowOf(rows, i, cipher, f.today));
  }
  const bool more = rows.size() > f.limit;
  if (backward) std::reverse(page.rows.begin(), page.rows.end());
  if (!page.rows.empty()) {
    if (backward ? !from.empty() : more) page.next = KeyText(page.rows.back());
    if (backward ? more : !from.empty()) page.previous = KeyText(page.rows.front());
  }
  CANBAO_ASSIGN(page.count, Count(c, f));
  return page;
}

Result<std::vector<CaseCount>> CountCases(reg::Connection& c, const Divisions& where, Date today) {
  const bool summed = where.high - where.low >= 1000000;
  std::vector<reg::Param> params = {reg::Param(today.ToIso())};
  const std::string by_county = ByCounty(where, &params);
  const std::string by_region = HasRegions(where) ? ByRegion(where, &params) : std::string();
  std::string sql = "SELECT kind, number, shown, sum(n), sum(late) FROM (";
  if (summed) {
    sql +=
        "SELECT c.kind, c.number, c.shown, c.count AS n, 0 AS late FROM canbao.case_count c "
        "WHERE " +
        by_county;
  } else {
    sql += "SELECT c.kind, c.number, c.shown, 1, 0 FROM canbao.case c WHERE " + by_county;
  }
  if (HasRegions(where)) {
    sql +=
        " UNION ALL SELECT c.kind, c.number, c.shown, 1, 0 FROM canbao.case c WHERE " + by_region;
  }
  const std::string late =
      " UNION ALL SELECT c.kind, c.number, c.shown, 0, 1 FROM canbao.case c WHERE c.due < $1::date "
      "AND c.shown NOT IN (5, 6, 8, 9, 10) AND ";
  sql += late + by_county;
  if (HasRegions(where)) sql += late + by_region;
  sql += ") a(kind, number, shown, n, late) GROUP BY 1, 2, 3 HAVING sum(n) > 0 ORDER BY 1, 2, 3";
  CANBAO_ASSIGN(reg::Rows rows, c.Exec(sql, params));
  std::vector<CaseCount> out;
  for (int i = 0; i < rows.size(); ++i) {
    out.push_back({static_cast<CaseKind>(rows.Int(i, 0)), static_cast<int>(rows.Int(i, 1)),
                   static_cast<State>(rows.Int(i, 2)), rows.Int(i, 3), rows.Int(i, 4)});
  }
  return out;
}

}  // namespace canbao::casework
