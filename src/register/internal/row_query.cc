#include "register/internal/row_query.h"

#include "register/internal/sql_day.h"
#include "scheme/cells.h"

namespace canbao::reg {
namespace {

bool IsPersonList(const RowFilter& f) {
  return f.form != 0 || f.list == ListKind::kToVerify || f.list == ListKind::kUncovered ||
         f.list == ListKind::kDuplicates;
}

Status CheckFilters(const RowFilter& f) {
  bool persons = IsPersonList(f);
  bool wrong =
      (!persons && (f.branch >= 0 || f.age_from >= 0 || f.age_to >= 0 || f.group != 0)) ||
      (f.scheme != 0 && !persons && f.list != ListKind::kConflicts) ||
      (f.number != 0 && (f.form != 0 || f.list == ListKind::kToVerify ||
                         f.list == ListKind::kUncovered || f.list == ListKind::kConflicts));
  if (!wrong) return {};
  return Fail(ErrorClass::kUsage, "CB-REGISTER-1102",
              Msg("这个列表没有所给的筛选条件。", "the list does not have this filter."),
              Msg("请去掉该条件。", "Leave the filter out."));
}

// The register holds one province: that one and the country are all of it. What nobody places
// anywhere (county 0) is its own too.
struct Place {
  DivisionRange range;
  int64_t province = 0;
  std::vector<Param>* params = nullptr;  // null: written out

  std::string County(int64_t twelve) const {
    const auto six = static_cast<int32_t>(twelve / 1000000);
    return params == nullptr ? std::to_string(six) : Bound(Param(six));
  }
  std::string Division(int64_t twelve) const {
    return params == nullptr ? std::to_string(twelve) : Bound(Param(twelve));
  }
  std::string Bound(Param value) const {
    params->push_back(std::move(value));
    return fmt::format("${}", params->size());
  }
};

std::string PlaceSql(const Place& p, const std::string& county, const std::string& hukou) {
  const DivisionRange& r = p.range;
  if (r.all || (r.low <= p.province * 1000000 && r.high >= (p.province + 10000) * 1000000)) {
    return "";
  }
  if (!r.below_county()) {
    return fmt::format(" AND {0} >= {1} AND {0} < {2}", county, p.County(r.low), p.County(r.high));
  }
  std::string sql = fmt::format(" AND {} = {}", county, p.County(r.low));
  if (!hukou.empty()) {
    sql +=
        fmt::format(" AND {0} >= {1} AND {0} < {2}", hukou, p.Division(r.low), p.Division(r.high));
  }
  return sql;
}

// A cell's test as conditions on classification_row, in the words of its partial indexes.
std::string CellSql(const scheme::CellTest& t) {
  if (t.nobody) return "false";
  std::string sql = "true";
  if (t.form_2_2 != scheme::kNoColumn) {
    sql += fmt::format(" AND c.form_2_2 <> 0 AND c.form_2_2 = {}", t.form_2_2);
  }
  if (t.flags_mask != 0) {
    bool one_bit = t.flags_mask == t.flags_value && (t.flags_mask & (t.flags_mask - 1)) == 0;
    sql += one_bit ? fmt::format(" AND c.flags & {} <> 0", t.flags_mask)
                   : fmt::format(" AND c.flags & {} = {}", t.flags_mask, t.flags_value);
    if ((t.flags_mask & (scheme::kH | scheme::kL)) != 0) sql += " AND c.form_2_2 <> 0";
  }
  if (t.uncovered != 0) {
    sql += fmt::format(" AND c.uncovered <> 0 AND c.uncovered & {} <> 0", t.uncovered);
  }
  if (t.duplicates != 0) {
    sql += fmt::format(" AND c.duplicates <> 0 AND c.duplicates & {} <> 0", t.duplicates);
  }
  return sql;
}

// Ages are those of canbao.listed_persons_of: whole years at the cut-off.
std::string AgeSql(const RowFilter& f, const std::string& day) {
  std::string sql;
  if (f.age_from > 0)
    sql += fmt::format(" AND c.birth <= {} - interval '{} years'", day, f.age_from);
  if (f.age_to >= 0)
    sql += fmt::format(" AND c.birth > {} - interval '{} years'", day, f.age_to + 1);
  if (f.age_from == 0 && f.age_to < 0) sql += " AND c.birth IS NOT NULL";
  return sql;
}

RowQuery PersonQuery(const RowFilter& f, const Place& place, const std::string& day) {
  RowQuery q;
  q.alias = "c";
  q.from = "FROM canbao.classification_row c";
  q.select = "c.bucket, c.person_key, c.county, c.flags, c.uncovered, c.duplicates, c.form_2_2";
  q.keys = {"c.county", "c.person_key"};
  q.key_types = {"integer", "bigint"};
  q.joins =
      "LEFT JOIN canbao.person p ON p.bucket = c.bucket AND p.person_key = c.person_key AND " +
      Valid("p", day);
  q.where = "c.cutoff = " + day;
  // The same persons in the words of canbao.listed_person.
  std::string counted = "l.cutoff = " + day;
  std::string each = "l.persons";
  if (f.form != 0) {
    q.where += " AND " + CellSql(scheme::TestOf(static_cast<uint8_t>(f.form),
                                                static_cast<uint8_t>(f.column)));
    if (f.hukou) q.where += fmt::format(" AND c.flags & {} <> 0", unsigned{scheme::kH});
    q.columns = PersonColumns();
    q.columns.push_back(col::Uncovered("c.uncovered"));
    q.columns.push_back(col::FormColumn("c.form_2_2"));
    q.columns.push_back(col::Flags("c.flags"));
  } else {
    q.columns = ListColumns(f.list);
    if (f.list == ListKind::kToVerify) {
      q.where += fmt::format(" AND c.flags & {} <> 0", unsigned{scheme::kToVerify});
      counted += " AND l.flags <> 0";
    } else if (f.list == ListKind::kUncovered) {
      q.where += " AND c.uncovered <> 0";
      counted += " AND l.uncovered <> 0";
    } else {
      // A person stands in the list once for each kind.
      std::string kinds = f.number == 0 ? "1, 2, 4, 8, 16, 32, 64" : std::to_string(f.number);
      q.from += fmt::format(" CROSS JOIN unnest(ARRAY[{}]) d(kind)", kinds);
      q.where += " AND c.duplicates <> 0 AND c.duplicates & d.kind <> 0";
      q.select += ", d.kind";
      q.keys.emplace_back("d.kind");
      q.key_types.emplace_back("integer");
      q.joins += fmt::format(
          " LEFT JOIN LATERAL (SELECT k.kind, k.relations FROM canbao.duplicate_case k WHERE "
          "k.bucket = c.bucket AND k.person_key = c.person_key AND k.kind = c.kind AND {} LIMIT 1) "
          "d "
          "ON true",
          Valid("k", day));
      for (TextColumn& column : q.columns) {
        for (std::string& sql : column.sql) {
          if (sql == "d.kind") sql = "c.kind";
        }
      }
      counted += " AND l.duplicates <> 0";
      each = f.number == 0
                 ? "l.persons * bit_count((l.duplicates & 127)::integer::bit(16))"
                 : fmt::format("l.persons * (l.duplicates & {0} <> 0)::integer", f.number);
    }
  }
  if (f.branch >= 0) {
    q.where += fmt::format(" AND c.uncovered <> 0 AND c.uncovered & {} <> 0", 1 << f.branch);
    counted += fmt::format(" AND l.uncovered & {} <> 0", 1 << f.branch);
  }
  if (f.group != 0) {
    q.where += fmt::format(" AND c.form_2_2 <> 0 AND c.form_2_2 = {}", f.group);
    counted += fmt::format(" AND l.form_2_2 = {}", f.group);
  }
  q.where += AgeSql(f, day);
  if (f.age_from >= 0) counted += fmt::format(" AND l.age >= {}", f.age_from);
  if (f.age_to >= 0) counted += fmt::format(" AND l.age <= {} AND l.age >= 0", f.age_to);
  if (f.scheme != 0) {
    q.where += fmt::format(
        " AND EXISTS (SELECT FROM canbao.enrolment e WHERE e.bucket = c.bucket AND e.person_key = "
        "c.person_key AND {} AND e.scheme = {})",
        Valid("e", day), f.scheme);
  }
  q.where += PlaceSql(place, "c.county", "c.hukou");
  if (place.range.below_county() || f.scheme != 0) return q;
  bool other_filters = f.branch >= 0 || f.group != 0 || f.age_from >= 0 || f.age_to >= 0;
  if (f.form == 0 && !other_filters) {
    const char* list = f.list == ListKind::kToVerify    ? "to_verify"
                       : f.list == ListKind::kUncovered ? "uncovered"
                                                        : "duplicates";
    q.counts = fmt::format(
        "SELECT l.county, sum(l.rows) FROM canbao.listed_row l WHERE l.cutoff = {} AND l.list = "
        "'{}'{}{} GROUP BY 1",
        day, list, f.number != 0 ? fmt::format(" AND l.number = {}", f.number) : "",
        PlaceSql(place, "l.county", ""));
    if (f.number == 0) q.marks = list;
    return q;
  }
  if (f.form != 0) {
    if (other_filters) return q;
    q.counts = fmt::format(
        "SELECT l.county, sum(l.count) FROM canbao.figure l WHERE l.cutoff = {} AND l.form = {} "
        "AND "
        "l.\"column\" = {} AND canbao.division(l.county) <@ (SELECT canbao.scope()){}{} GROUP BY 1",
        day, f.form, f.column, f.hukou ? " AND l.hukou" : "", PlaceSql(place, "l.county", ""));
  } else {
    q.counts =
        fmt::format("SELECT l.county, sum({}) FROM canbao.listed_person l WHERE {}{} GROUP BY 1",
                    each, counted, PlaceSql(place, "l.county", ""));
  }
  return q;
}

RowQuery FileRowQuery(const RowFilter& f, const Place& place, const std::string& day) {
  RowQuery q;
  q.columns = ListColumns(f.list);
  std::string county, list, number;
  switch (f.list) {
    case ListKind::kDiscrepancies:
      q.alias = "d";
      list = "discrepancies";
      q.from = "FROM canbao.discrepancy d";
      q.select =
          "d.bucket, d.person_key, d.source_ref, d.kind, d.field, d.delivered, d.prevailing, "
          "d.delivered_sealed, d.prevailing_sealed, d.county";
      // One row of a file may have several.
      q.keys = {"d.county", "d.source_ref", "d.kind",
                "md5(concat_ws('|', d.field, d.delivered, d.prevailing, d.delivered_sealed, "
                "d.prevailing_sealed))"};
      q.key_types = {"integer", "bigint", "smallint", "text"};
      q.joins =
          "LEFT JOIN canbao.person p ON p.bucket = d.bucket AND p.person_key = d.person_key AND " +
          Valid("p", day);
      county = "d.county";
      number = "d.kind";
      break;
    case ListKind::kConflicts:
      q.alias = "u";
      list = "conflicts";
      q.from = "FROM canbao.unlinked_row u";
      q.select =
          "u.source_ref, u.kind, u.outcome, u.number_text, u.name, u.sex, u.birth, u.scheme, "
          "u.region, u.phone, u.employer_no, u.household_no, u.address";
      q.keys = {"u.region", "u.source_ref"};
      q.key_types = {"integer", "bigint"};
      q.where = "u.outcome = 6 AND ";
      county = "u.region";
      number = "u.scheme";
      break;
    default:
      q.alias = "r";
      list = "rejects";
      q.from = "FROM canbao.reject_row r";
      q.select = "r.source_ref, r.\"column\", r.field, r.reason, r.text";
      q.keys = {"r.region", "r.source_ref", "r.reason", "coalesce(r.\"column\", 0)"};
      q.key_types = {"integer", "bigint", "smallint", "smallint"};
      county = "r.region";
      number = "r.reason";
      break;
  }
  q.where += Valid(q.alias.c_str(), day);
  int wanted = f.list == ListKind::kConflicts ? f.scheme : f.number;
  if (wanted != 0) q.where += fmt::format(" AND {} = {}", number, wanted);
  q.where += PlaceSql(place, county, "");
  q.counts = fmt::format(
      "SELECT l.county, sum(l.rows) FROM canbao.listed_row l WHERE l.cutoff = {} AND l.list = "
      "'{}'{}{} "
      "GROUP BY 1",
      day, list, wanted != 0 ? fmt::format(" AND l.number = {}", wanted) : "",
      PlaceSql(place, "l.county", ""));
  return q;
}

}  // namespace

Result<RowQuery> QueryFor(const RowFilter& filter, Date cutoff, int64_t province, bool bound) {
  CANBAO_TRY(CheckFilters(filter));
  std::vector<Param> params;
  Place place;
  CANBAO_ASSIGN(place.range, RangeOf(filter.division));
  place.province = province;
  place.params = bound ? &params : nullptr;
  std::string day = SqlDay(cutoff);
  RowQuery q =
      IsPersonList(filter) ? PersonQuery(filter, place, day) : FileRowQuery(filter, place, day);
  q.params = std::move(params);
  return q;
}

}  // namespace canbao::reg
