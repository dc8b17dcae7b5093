// Everything known of one person, for `canbao person`: what each source said, in which file and
// line, with which outcome, and since which cut-off.
#include <algorithm>

#include "base/date.h"
#include "identity/citizen_number.h"
#include "register/internal/layout.h"
#include "register/internal/person_sections.h"
#include "register/internal/table_text.h"
#include "register/read.h"

namespace canbao::reg {
namespace {

struct Section {
  Text title;
  std::string table;
  std::string order;
  std::vector<TextColumn> columns;
};

void AddPlace(std::vector<TextColumn>& columns, bool outcome) {
  if (outcome) columns.push_back(col::Outcome("outcome"));
  columns.push_back(col::Source("source_ref"));
  columns.push_back(col::File("source_ref"));
  columns.push_back(col::Line("source_ref"));
}

void AddValidity(std::vector<TextColumn>& columns) {
  columns.push_back(col::DayOf("已知自", "known_from", "valid_from"));
  columns.push_back(col::DayOf("已知至", "known_until", "valid_to"));
}

std::string Employer(const char* column) {
  return fmt::format("(SELECT {} FROM canbao.employer WHERE employer_key = employer)", column);
}

std::vector<Section> Sections() {
  std::vector<Section> all;
  Section person{{"身份", "identity"}, "person", "valid_from", {}};
  person.columns = {col::Number("number", "document"),
                    col::Name("name"),
                    col::Sex("sex"),
                    col::DayOf("出生日期", "birth_date", "birth"),
                    col::YesNo("在户籍库", "in_register", "in_register"),
                    col::YesNo("已确认", "confirmed", "confirmed"),
                    col::YesNo("号码已核验", "verified_number", "verified_number"),
                    col::Management("management"),
                    col::DayOf("变动日期", "changed_on", "changed_on"),
                    col::Plain("户籍地区划", "hukou_division", "hukou"),
                    col::Plain("户口性质", "hukou_type", "hukou_type"),
                    col::Plain("民族", "ethnicity", "ethnicity"),
                    col::Plain("户号", "household_no", "household_no"),
                    col::Plain("与户主关系", "relation", "relation"),
                    col::Phone("phone"),
                    col::Address("address"),
                    col::Plain("居住地区划", "residence_division", "residence"),
                    col::Plain("区县", "county", "county")};
  AddPlace(person.columns, false);
  AddValidity(person.columns);
  all.push_back(std::move(person));

  Section classes{{"各截止日期的分类", "classification"}, "classification", "cutoff", {}};
  classes.columns = {col::DayOf("截止日期", "cutoff", "cutoff"),
                     col::Flags("flags"),
                     col::FormColumn("form_2_2"),
                     col::Uncovered("uncovered"),
                     col::Duplicates("duplicates"),
                     col::Plain("区县", "county", "county"),
                     col::Plain("市", "city", "city")};
  all.push_back(std::move(classes));

  Section enrolments{{"参保", "enrolments"}, "enrolment", "scheme, region, valid_from", {}};
  enrolments.columns = {col::Plain("险种", "scheme", "scheme"),
                        col::Plain("统筹区", "region", "region"),
                        col::State("状态", "state", "state"),
                        col::State("截止日状态", "state_at_cutoff", "state_at_cutoff"),
                        col::Plain("状态原码", "state_text", "state_text"),
                        col::DayOf("参保日期", "enrolled_on", "enrolled_on"),
                        col::DayOf("终止日期", "ended_on", "ended_on"),
                        col::DayOf("首次参保年月", "first_month", "first_month"),
                        col::Plain("参保身份", "insured_category", "insured_category"),
                        col::Plain("参保年度", "insured_year", "insured_year"),
                        col::Plain("个人编号", "person_no", "person_no"),
                        col::Plain("单位编号", "employer_no", Employer("employer_no")),
                        col::Plain("单位名称", "employer_name", Employer("employer_name")),
                        col::Plain("统一社会信用代码", "uscc", Employer("uscc")),
                        col::YesNo("已确认", "confirmed", "confirmed")};
  AddPlace(enrolments.columns, true);
  AddValidity(enrolments.columns);
  all.push_back(std::move(enrolments));

  Section evidence{{"部门数据", "evidence"}, "evidence", "kind, from_day, valid_from", {}};
  evidence.columns = {col::Kind("kind"),
                      col::Evidence("evidence"),
                      col::DayOf("自", "from", "from_day"),
                      col::DayOf("至", "until", "until_day"),
                      col::Plain("区县", "county", "county"),
                      col::Plain("代码", "code", "code"),
                      col::Plain("说明", "detail", "detail")};
  AddPlace(evidence.columns, true);
  AddValidity(evidence.columns);
  all.push_back(std::move(evidence));

  Section discrepancies{{"错误信息", "discrepancies"}, "discrepancy", "kind, source_ref", {}};
  discrepancies.columns = {
      col::Discrepancy("kind"), col::Plain("字段", "field", "field"),
      col::Value("原值", "delivered", "field", "delivered", "delivered_sealed"),
      col::Value("应为", "prevailing", "field", "prevailing", "prevailing_sealed")};
  AddPlace(discrepancies.columns, false);
  AddValidity(discrepancies.columns);
  all.push_back(std::move(discrepancies));

  Section duplicates{{"重复", "duplicates"}, "duplicate_case", "kind, valid_from", {}};
  duplicates.columns = {col::Duplicates("kind"), col::Plain("参保关系", "relations", "relations")};
  AddValidity(duplicates.columns);
  all.push_back(std::move(duplicates));

  Section merges{{"人员合并", "merges"}, "merge_of_person", "cutoff, other_key", {}};
  merges.columns = {col::YesNo("并入对方", "went_into_the_other", "went"),
                    col::Plain("对方人员编号", "other_person_key", "other_key"),
                    col::Plain("行数", "rows", "rows"),
                    col::DayOf("自截止日期", "cutoff", "cutoff"),
                    col::DayOf("撤销于截止日期", "undone_at_cutoff", "undone_cutoff")};
  all.push_back(std::move(merges));

  Section rows{{"待确认的行", "provisional rows"}, "unlinked_row", "source_ref, valid_from", {}};
  rows.columns = {col::Kind("kind"), col::Sealed("证件号码", "number", "number_text", true),
                  col::Name("name"), col::Plain("险种", "scheme", "scheme"),
                  col::Plain("统筹区", "region", "region")};
  AddPlace(rows.columns, true);
  AddValidity(rows.columns);
  all.push_back(std::move(rows));
  return all;
}

}  // namespace

Result<PersonView> ViewOf(Connection& c, const TextContext& context, int64_t key) {
  PersonView view;
  view.person_key = static_cast<uint64_t>(key);
  for (const Section& s : Sections()) {
    // The bucket of an unlinked row is its line's.
    std::string where = s.table == "unlinked_row"
                            ? "person_key = $1"
                            : fmt::format("person_key = $1 AND bucket = {}", key % kBuckets);
    CANBAO_ASSIGN(Rows rows, c.Exec(fmt::format("SELECT {} FROM canbao.{} WHERE {} ORDER BY {}",
                                                SelectList(s.columns), s.table, where, s.order),
                                    {Param(key)}));
    if (rows.size() == 0) continue;
    PersonSection section;
    section.title = s.title;
    for (const TextColumn& column : s.columns) section.columns.push_back(column.name);
    for (int i = 0; i < rows.size(); ++i) {
      section.rows.push_back(TextRow(context, s.columns, rows, i));
    }
    view.sections.push_back(std::move(section));
  }
  return view;
}

std::vector<std::string> SealedNumbers(const FieldCipher& cipher, const std::string& number) {
  std::vector<std::string> sealed;
  // A document's number depends on what it is said to be; a person who asks may not know.
  for (const char* type : {"", "02", "03", "04", "05", "06", "07", "08", "09", "99"}) {
    identity::ParsedNumber parsed = identity::ParseNumber(number, type, Date::Today());
    if (!parsed.number.has_value()) continue;
    std::string block = cipher.SealNumber(parsed.number.v);
    if (std::find(sealed.begin(), sealed.end(), block) == sealed.end()) sealed.push_back(block);
  }
  return sealed;
}

Result<std::optional<PersonView>> PersonByKey(Database& db, uint64_t person_key, bool mask) {
  CANBAO_ASSIGN(auto c, db.Connect("canbao person"));
  CANBAO_ASSIGN(TextContext context, TextContext::Load(*c, db.cipher(), mask));
  CANBAO_ASSIGN(PersonView view, ViewOf(*c, context, static_cast<int64_t>(person_key)));
  if (view.sections.empty()) return std::optional<PersonView>();
  return std::optional<PersonView>(std::move(view));
}

Result<std::vector<PersonView>> PersonByNumber(Database& db, const std::string& number, bool mask) {
  std::vector<PersonView> out;
  if (number.empty()) return out;
  CANBAO_ASSIGN(auto c, db.Connect("canbao person"));
  CANBAO_ASSIGN(TextContext context, TextContext::Load(*c, db.cipher(), mask));
  std::string numbers;
  std::vector<Param> params = {Param::Bytes(db.cipher().SealText(number))};
  for (const std::string& block : SealedNumbers(db.cipher(), number)) {
    params.push_back(Param::Bytes(block));
    numbers += fmt::format("{}${}", numbers.empty() ? "" : ", ", params.size());
  }
  std::string where = "document = $1";
  if (!numbers.empty()) where += " OR number IN (" + numbers + ")";
  CANBAO_ASSIGN(Rows found, c->Exec("SELECT DISTINCT person_key FROM canbao.person WHERE " + where +
                                        " ORDER BY 1",
                                    params));
  for (int i = 0; i < found.size(); ++i) {
    CANBAO_ASSIGN(PersonView view, ViewOf(*c, context, found.Int(i, 0)));
    out.push_back(std::move(view));
  }
  return out;
}

}  // namespace canbao::reg
