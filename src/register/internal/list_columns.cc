#include "register/internal/list_columns.h"

#include "scheme/person.h"

namespace canbao::reg {
namespace {

void AppendColumns(std::vector<TextColumn>& to, std::vector<TextColumn> more) {
  for (TextColumn& c : more) to.push_back(std::move(c));
}

std::vector<TextColumn> PlaceColumns(const std::string& ref) {
  return {col::Source(ref), col::File(ref), col::Line(ref)};
}

}  // namespace

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

std::string Valid(const char* alias, const std::string& cutoff) {
  return fmt::format("{0}.valid_from <= {1} AND {0}.valid_to > {1}", alias, cutoff);
}

std::vector<TextColumn> PersonColumns() {
  return {col::Plain("人员编号", "person_key", "c.person_key"),
          col::Number("p.number", "p.document"),
          col::Name("p.name"),
          col::Sex("p.sex"),
          col::DayOf("出生日期", "birth_date", "p.birth"),
          col::Plain("区县", "county", "c.county"),
          col::Plain("户籍地区划", "hukou_division", "p.hukou"),
          col::Address("p.address"),
          col::Phone("p.phone")};
}

std::vector<TextColumn> ListColumns(ListKind kind) {
  std::vector<TextColumn> columns;
  switch (kind) {
    case ListKind::kToVerify:
      columns = PersonColumns();
      AppendColumns(columns,
                    {col::Management("p.management"), col::FormColumn("c.form_2_2"),
                     col::Flags(fmt::format("c.flags & {}", ~(scheme::kH | scheme::kToVerify)))});
      AppendColumns(columns, PlaceColumns("p.source_ref"));
      break;
    case ListKind::kUncovered:
      columns = PersonColumns();
      AppendColumns(columns, {col::Uncovered("c.uncovered"), col::FormColumn("c.form_2_2"),
                              col::Flags("c.flags")});
      AppendColumns(columns, PlaceColumns("p.source_ref"));
      break;
    case ListKind::kDuplicates:
      columns = PersonColumns();
      AppendColumns(
          columns, {col::Duplicates("d.kind"), col::Plain("参保关系", "relations", "d.relations")});
      break;
    case ListKind::kDiscrepancies:
      columns = {col::Discrepancy("d.kind"),
                 col::Plain("字段", "field", "d.field"),
                 col::Value("原值", "delivered", "d.field", "d.delivered", "d.delivered_sealed"),
                 col::Value("应为", "prevailing", "d.field", "d.prevailing", "d.prevailing_sealed"),
                 col::Plain("人员编号", "person_key", "nullif(d.person_key, 0)"),
                 col::Number("p.number", "p.document"),
                 col::Name("p.name"),
                 col::Plain("区县", "county", "d.county")};
      AppendColumns(columns, PlaceColumns("d.source_ref"));
      break;
    case ListKind::kRejects:
      columns = PlaceColumns("r.source_ref");
      AppendColumns(columns, {col::Plain("列", "column", "r.\"column\""),
                              col::Plain("字段", "field", "r.field"), col::Reject("r.reason"),
                              col::Sealed("原文", "text", "r.text", false)});
      break;
    case ListKind::kConflicts:
      columns = PlaceColumns("u.source_ref");
      AppendColumns(
          columns,
          {col::Kind("u.kind"), col::Outcome("u.outcome"),
           col::Sealed("证件号码", "number", "u.number_text", true), col::Name("u.name"),
           col::Sex("u.sex"), col::DayOf("出生日期", "birth_date", "u.birth"),
           col::Plain("险种", "scheme", "u.scheme"), col::Plain("统筹区", "region", "u.region"),
           col::Phone("u.phone"), col::Plain("单位编号", "employer_no", "u.employer_no"),
           col::Plain("户号", "household_no", "u.household_no"), col::Address("u.address")});
      break;
  }
  return columns;
}

}  // namespace canbao::reg
