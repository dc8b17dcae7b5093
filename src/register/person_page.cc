#include "register/person_page.h"

#include <algorithm>

#include "register/internal/layout.h"
#include "register/internal/list_columns.h"
#include "register/internal/person_sections.h"
#include "register/internal/sql_day.h"
#include "scheme/person.h"

namespace canbao::reg {
namespace {

std::string CellOf(const TextContext& x, const TextColumn& column, const Rows& rows, int row,
                   int at) {
  Values values;
  for (size_t i = 0; i < column.sql.size(); ++i) {
    int k = at + static_cast<int>(i);
    values.push_back(rows.IsNull(row, k) ? std::nullopt
                                         : std::optional<std::string_view>(rows.Text(row, k)));
  }
  return column.text(x, values);
}

struct IdentityRow {
  PersonIdentity identity;
  bool found = false;
};

// The version known at the cut-off; without one, the newest that may be seen.
Result<IdentityRow> ReadIdentity(Connection& c, const TextContext& x, int64_t key,
                                 const std::string& day) {
  const std::vector<TextColumn> columns = {col::Number("number", "NULL::bytea"),
                                           col::Number("NULL::bytea", "document"),
                                           col::Name("name"),
                                           col::Phone("phone"),
                                           col::Address("address"),
                                           col::DayOf("", "", "birth")};
  CANBAO_ASSIGN(
      Rows rows,
      c.Exec(
          fmt::format("SELECT {}, sex, management, county, hukou, residence FROM canbao.person "
                      "WHERE person_key = $1 AND bucket = {} "
                      "ORDER BY (valid_from <= {} AND valid_to > {}) DESC, valid_from DESC LIMIT 1",
                      SelectList(columns), key % kBuckets, day, day),
          {Param(key)}));
  IdentityRow out;
  if (rows.size() == 0) return out;
  out.found = true;
  PersonIdentity& who = out.identity;
  std::string* fields[] = {&who.number, &who.document, &who.name,
                           &who.phone,  &who.address,  &who.birth};
  int at = 0;
  for (size_t i = 0; i < columns.size(); ++i) {
    *fields[i] = CellOf(x, columns[i], rows, 0, at);
    at += static_cast<int>(columns[i].sql.size());
  }
  int64_t sex = rows.Int(0, at);
  if (sex == 1) who.sex = {"男", "male"};
  if (sex == 2) who.sex = {"女", "female"};
  if (!rows.IsNull(0, at + 1))
    who.management = ManagementLabel(static_cast<int>(rows.Int(0, at + 1)));
  who.county = rows.Int(0, at + 2);
  who.hukou = rows.Int(0, at + 3);
  who.residence = rows.Int(0, at + 4);
  return out;
}

Result<std::vector<PersonClass>> ReadClasses(Connection& c, int64_t key) {
  CANBAO_ASSIGN(Rows rows, c.Exec(fmt::format("SELECT cutoff, flags, uncovered, form_2_2 FROM "
                                              "canbao.classification_row WHERE person_key = $1 "
                                              "AND bucket = {} ORDER BY cutoff",
                                              key % kBuckets),
                                  {Param(key)}));
  std::vector<PersonClass> out;
  for (int i = 0; i < rows.size(); ++i) {
    PersonClass k;
    k.cutoff = rows.Text(i, 0);
    auto flags = static_cast<uint32_t>(rows.Int(i, 1));
    for (int bit = 0; bit < 32; ++bit) {
      if ((flags >> bit & 1) == 0) continue;
      Text label = FlagLabel(bit);
      if (!label.zh.empty()) k.flags.push_back(std::move(label));
    }
    for (int b = 0; b < scheme::kBranches; ++b) {
      if ((rows.Int(i, 2) >> b & 1) != 0) k.uncovered.push_back(static_cast<scheme::Branch>(b));
    }
    int64_t column = rows.Int(i, 3);
    if (column == scheme::kNotYetVerified) {
      k.form_2_2 = "not_yet_verified";
    } else if (column != scheme::kNoColumn) {
      k.form_2_2 = std::to_string(column);
    }
    out.push_back(std::move(k));
  }
  return out;
}

std::string PlaceText(const TextContext& x, int64_t ref) {
  auto extract = x.extracts.find(ref >> 40);
  int64_t sheet = ref >> 32 & 0xFF, line = ref & 0xFFFFFFFF;
  std::string out = extract == x.extracts.end() ? std::string() : extract->second.file;
  if (ref == 0) return out;
  return sheet == 0 ? fmt::format("{}:{}", out, line) : fmt::format("{}:{}:{}", out, sheet, line);
}

Result<std::vector<PersonEnrolment>> ReadEnrolments(Connection& c, const TextContext& x,
                                                    int64_t key, const std::string& day) {
  CANBAO_ASSIGN(
      Rows rows,
      c.Exec(fmt::format("SELECT e.scheme, e.region, e.state_at_cutoff, e.enrolled_on, e.ended_on, "
                         "m.employer_name, e.outcome, e.confirmed, e.source_ref "
                         "FROM canbao.enrolment e LEFT JOIN canbao.employer m ON m.employer_key = "
                         "e.employer WHERE e.person_key = $1 AND e.bucket = {} AND e.valid_from <= "
                         "{} AND e.valid_to > {} ORDER BY e.scheme, e.enrolled_on NULLS LAST, "
                         "e.region, e.source_ref",
                         key % kBuckets, day, day),
             {Param(key)}));
  auto day_of = [&](int i, int at) {
    return rows.IsNull(i, at) || rows.Text(i, at) == "infinity" ? std::string()
                                                                : std::string(rows.Text(i, at));
  };
  std::vector<PersonEnrolment> out;
  for (int i = 0; i < rows.size(); ++i) {
    PersonEnrolment e;
    e.scheme = static_cast<scheme::SchemeCode>(rows.Int(i, 0));
    e.region = rows.Int(i, 1);
    e.state = static_cast<scheme::State>(rows.Int(i, 2));
    e.enrolled_on = day_of(i, 3);
    e.ended_on = day_of(i, 4);
    e.employer = rows.Text(i, 5);
    e.outcome = OutcomeLabel(static_cast<int>(rows.Int(i, 6)));
    e.confirmed = rows.Bool(i, 7);
    e.place = PlaceText(x, rows.Int(i, 8));
    out.push_back(std::move(e));
  }
  return out;
}

// Of a section's title: "provisional rows" → provisional_rows.
std::string KeyOf(const Text& title) {
  std::string key = title.en;
  std::replace(key.begin(), key.end(), ' ', '_');
  return key;
}

}  // namespace

Result<std::optional<PersonPage>> ReadPerson(Connection& c, const FieldCipher& cipher, int64_t key,
                                             Date cutoff) {
  PersonPage page;
  CANBAO_ASSIGN(page.cutoff, CutoffFor(c, cutoff));
  std::string day = SqlDay(page.cutoff);
  CANBAO_ASSIGN(TextContext context, TextContext::Load(c, cipher, true));
  context.screen = true;
  CANBAO_ASSIGN(IdentityRow who, ReadIdentity(c, context, key, day));
  if (!who.found) return std::optional<PersonPage>();
  page.identity = std::move(who.identity);
  CANBAO_ASSIGN(page.history, ReadClasses(c, key));
  for (const PersonClass& k : page.history) {
    if (k.cutoff == page.cutoff.ToIso()) page.classification = k;
  }
  CANBAO_ASSIGN(page.enrolments, ReadEnrolments(c, context, key, day));
  CANBAO_ASSIGN(PersonView view, ViewOf(c, context, key));
  for (PersonSection& s : view.sections) {
    PersonTable table;
    table.key = KeyOf(s.title);
    table.title = s.title;
    for (const ListColumn& column : s.columns) table.columns.push_back(DescribeColumn(column));
    table.rows = std::move(s.rows);
    page.sections.push_back(std::move(table));
  }
  return std::optional<PersonPage>(std::move(page));
}

Result<std::optional<PersonIdentity>> RevealPerson(Connection& c, const FieldCipher& cipher,
                                                   int64_t key) {
  CANBAO_ASSIGN(Date newest, CutoffFor(c, {}));
  CANBAO_ASSIGN(TextContext context, TextContext::Load(c, cipher, false));
  CANBAO_ASSIGN(IdentityRow who, ReadIdentity(c, context, key, SqlDay(newest)));
  if (!who.found) return std::optional<PersonIdentity>();
  return std::optional<PersonIdentity>(std::move(who.identity));
}

Result<bool> PersonIsVisible(Connection& c, int64_t key) {
  CANBAO_ASSIGN(Rows rows, c.Exec(fmt::format("SELECT FROM canbao.person_row WHERE person_key = $1 "
                                              "AND bucket = {} LIMIT 1",
                                              key % kBuckets),
                                  {Param(key)}));
  return rows.size() > 0;
}

Result<std::optional<PersonLinks>> LinksOf(Connection& c, int64_t key, Date cutoff) {
  PersonLinks links;
  CANBAO_ASSIGN(links.cutoff, CutoffFor(c, cutoff));
  CANBAO_ASSIGN(bool there, PersonIsVisible(c, key));
  if (!there) return std::optional<PersonLinks>();
  std::string day = SqlDay(links.cutoff);
  CANBAO_ASSIGN(TextContext context, TextContext::LoadNames(c));
  CANBAO_ASSIGN(Rows run, c.Exec("SELECT name FROM canbao.run WHERE superseded_by IS NULL AND "
                                 "cutoff = " +
                                 day));
  if (run.size() > 0) links.run = run.Text(0, 0);
  // The household register's own row, then what was linked with it. A provisional row's bucket is
  // its line's.
  CANBAO_ASSIGN(
      Rows rows,
      c.Exec(fmt::format(
                 "SELECT r.kind, r.outcome, r.source_ref, e.source, e.kind, a.ordinal FROM ("
                 "SELECT -1 AS kind, 0 AS outcome, source_ref FROM canbao.person_row "
                 "WHERE person_key = $1 AND bucket = {0} AND {1} UNION ALL "
                 "SELECT -1, outcome, source_ref FROM canbao.enrolment "
                 "WHERE person_key = $1 AND bucket = {0} AND {1} UNION ALL "
                 "SELECT kind, outcome, source_ref FROM canbao.evidence "
                 "WHERE person_key = $1 AND bucket = {0} AND {1} UNION ALL "
                 "SELECT kind, outcome, source_ref FROM canbao.unlinked_row "
                 "WHERE person_key = $1 AND {1}) r "
                 "LEFT JOIN canbao.extract e ON e.extract_id = r.source_ref >> 40 "
                 "LEFT JOIN canbao.extract_ordinals((SELECT run_id FROM canbao.run WHERE "
                 "superseded_by IS NULL AND cutoff = {2})) a ON a.extract_id = e.extract_id "
                 "ORDER BY r.outcome, r.source_ref",
                 key % kBuckets, fmt::format("valid_from <= {0} AND valid_to > {0}", day), day),
             {Param(key)}));
  for (int i = 0; i < rows.size(); ++i) {
    LinkedRow link;
    link.outcome = static_cast<int>(rows.Int(i, 1));
    link.label = OutcomeLabel(link.outcome);
    int64_t ref = rows.Int(i, 2);
    link.source = rows.Text(i, 3);
    link.kind = rows.Text(i, 4);
    if (!rows.IsNull(i, 5)) {
      link.row_ref = static_cast<uint64_t>(rows.Int(i, 5)) << 48 |
                     static_cast<uint64_t>(ref >> 32 & 0xFF) << 40 |
                     static_cast<uint64_t>(ref & 0xFFFFFFFF);
    }
    link.place = PlaceText(context, ref);
    // The same row may say several things of a person.
    bool again = false;
    for (const LinkedRow& before : links.rows) {
      again = again ||
              (before.place == link.place && (before.outcome == link.outcome || link.outcome == 0));
    }
    if (!again) links.rows.push_back(std::move(link));
  }
  return std::optional<PersonLinks>(std::move(links));
}

}  // namespace canbao::reg
