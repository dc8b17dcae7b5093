#include "register/person_search.h"

#include <charconv>

#include "register/cursor.h"
#include "register/internal/clean_text.h"
#include "register/internal/list_columns.h"
#include "register/internal/person_sections.h"
#include "register/internal/search_name.h"
#include "register/internal/sql_day.h"

namespace canbao::reg {
namespace {

constexpr char kBehindAll[] = "\xF4\x8F\xBF\xBF";  // U+10FFFF: no name has it
constexpr size_t kInitials = 8;
constexpr size_t kPinyinStart = 4;

// One way of matching; the next one is tried when it gives too few.
struct Way {
  std::string where;
  std::vector<Param> params;
  bool many = false;  // matches many: within a division only
};

Result<std::vector<Way>> WaysOf(const FieldCipher& cipher, const PersonQuery& q) {
  auto refuse = [](Text message, Text remedy) {
    return Fail(ErrorClass::kUsage, "CB-REGISTER-1103", std::move(message), std::move(remedy));
  };
  std::vector<Way> ways;
  switch (q.by) {
    case SearchBy::kNumber: {
      std::string text;
      for (char c : q.value) {
        if (c != ' ') text += c == 'x' ? 'X' : c;
      }
      Way way;
      way.params.push_back(Param::Bytes(cipher.SealText(text)));
      way.where = "document = $1";
      std::string numbers;
      for (const std::string& block : SealedNumbers(cipher, text)) {
        way.params.push_back(Param::Bytes(block));
        numbers += fmt::format("{}${}", numbers.empty() ? "" : ", ", way.params.size());
      }
      if (!numbers.empty()) way.where = "(" + way.where + " OR number IN (" + numbers + "))";
      ways.push_back(std::move(way));
      break;
    }
    case SearchBy::kPhone: {
      std::string digits;
      for (char c : q.value) {
        if (c >= '0' && c <= '9') digits += c;
      }
      if (digits.size() > 11 && digits.starts_with("86")) digits = digits.substr(2);
      if (digits.size() < 5) {
        return refuse(Msg("电话号码太短。", "the phone number is too short."),
                      Msg("请输入完整的号码。", "Give the whole number."));
      }
      Way way;
      // As it was delivered: a plain number is a block, anything else a text.
      way.params = {Param::Bytes(cipher.SealPhone(digits)), Param::Bytes(cipher.SealPhone(q.value)),
                    Param::Bytes(cipher.SealText(q.value))};
      way.where = "phone IN ($1, $2, $3)";
      ways.push_back(std::move(way));
      break;
    }
    case SearchBy::kName: {
      std::string key = NameKeyOf(q.value);
      if (key.empty()) {
        return refuse(Msg("没有可以查找的姓名。", "there is no name to look for."),
                      Msg("请输入姓名。", "Give a name."));
      }
      ways.push_back({"name_key = $1", {Param(key)}});
      if (CodePoints(key) >= 2) {
        ways.push_back(
            {"name_key > $1 AND name_key < $2", {Param(key), Param(key + kBehindAll)}, true});
      }
      break;
    }
    case SearchBy::kPinyin: {
      std::string key = PinyinKeyOf(q.value);
      if (key.size() < 2) {
        return refuse(Msg("拼音至少两个字母。", "at least two letters of pinyin."),
                      Msg("请输入全拼（zhangsan）或首字母（zs）。",
                          "Give it in full (zhangsan) or its initials (zs)."));
      }
      ways.push_back({"pinyin = $1", {Param(key)}});
      if (key.size() <= kInitials)
        ways.push_back({"initials = $1 AND pinyin <> $1", {Param(key)}, true});
      if (key.size() >= kPinyinStart) {
        ways.push_back(
            {"pinyin > $1 AND pinyin < $2", {Param(key), Param(key + kBehindAll)}, true});
      }
      break;
    }
  }
  return ways;
}

std::string PlaceWhere(const DivisionRange& range, std::vector<Param>* params) {
  if (range.all) return "";
  auto bound = [&](Param value) {
    params->push_back(std::move(value));
    return fmt::format("${}", params->size());
  };
  auto six = [&](int64_t twelve) { return bound(Param(static_cast<int32_t>(twelve / 1000000))); };
  if (!range.below_county()) {
    const std::string low = six(range.low);
    return fmt::format(" AND r.county >= {} AND r.county < {}", low, six(range.high));
  }
  const std::string county = six(range.low), low = bound(Param(range.low));
  return fmt::format(" AND r.county = {} AND r.hukou >= {} AND r.hukou < {}", county, low,
                     bound(Param(range.high)));
}

}  // namespace

Result<TablePage> SearchPersons(Connection& c, const FieldCipher& cipher,
                                const PersonQuery& query) {
  CANBAO_ASSIGN(Date cutoff, CutoffFor(c, {}));
  CANBAO_ASSIGN(std::vector<Way> ways, WaysOf(cipher, query));
  CANBAO_ASSIGN(DivisionRange asked, RangeOf(query.division));
  CANBAO_ASSIGN(DivisionRange home, RangeOf(query.home));
  std::string day = SqlDay(cutoff);
  std::string list = fmt::format("search {} {} {} {}", static_cast<int>(query.by), query.value,
                                 query.division, query.birth.ToIso());
  size_t from_way = 0;
  std::string from_county = "-1", from_key = "0";
  if (!query.after.empty()) {
    CANBAO_ASSIGN(Cursor cursor, OpenCursor(cipher, list, query.after, 3));
    std::from_chars(cursor.keys[0].data(), cursor.keys[0].data() + cursor.keys[0].size(), from_way);
    from_county = cursor.keys[1];
    from_key = cursor.keys[2];
  }
  std::vector<TextColumn> columns = PersonColumns();
  TablePage page;
  for (const TextColumn& column : columns) page.columns.push_back(DescribeColumn(column.name));
  CANBAO_ASSIGN(TextContext context, TextContext::Load(c, cipher, true));
  context.screen = true;
  Cursor last;
  bool more = false;
  for (size_t i = from_way; i < ways.size() && !more; ++i) {
    const Way& way = ways[i];
    int want = query.limit - static_cast<int>(page.rows.size());
    std::vector<Param> params = way.params;
    const bool by_number = query.by == SearchBy::kNumber;
    const DivisionRange& range = way.many && query.division.empty() ? home : asked;
    std::string where = (by_number ? "true" : way.where) + PlaceWhere(range, &params);
    // A number is also found under one that the person carried before.
    std::string found = by_number ? "(SELECT bucket, person_key FROM canbao.person_row WHERE " +
                                        way.where +
                                        ") f JOIN canbao.person_row r ON r.bucket = f.bucket AND "
                                        "r.person_key = f.person_key"
                                  : "canbao.person_row r";
    if (query.birth.has_value()) {
      where += " AND canbao.fact_day(r.facts, 1) = " + SqlDay(query.birth);
    }
    if (i == from_way && !query.after.empty()) {
      params.emplace_back(from_county);
      params.emplace_back(from_key);
      where += fmt::format(
          " AND (coalesce(r.county, 0), r.person_key) > (${}::text::integer, "
          "${}::text::bigint)",
          params.size() - 1, params.size());
    }
    params.emplace_back(int64_t{want} + 1);
    CANBAO_ASSIGN(
        Rows rows,
        c.Exec(
            fmt::format(
                "WITH c AS MATERIALIZED (SELECT DISTINCT coalesce(r.county, 0) AS county, "
                "r.person_key, r.bucket FROM {} WHERE {} AND {} ORDER BY 1, 2 LIMIT ${}) "
                "SELECT {}, c.county, c.person_key FROM c JOIN canbao.person p ON p.bucket = "
                "c.bucket "
                "AND p.person_key = c.person_key AND {} ORDER BY c.county, c.person_key",
                found, where, Valid("r", day), params.size(), SelectList(columns), Valid("p", day)),
            params));
    more = rows.size() > want;
    for (int row = 0; row < std::min(rows.size(), want); ++row) {
      page.rows.push_back(TextRow(context, columns, rows, row));
      int base = rows.columns() - 2;
      last.keys = {std::to_string(i), std::string(rows.Text(row, base)),
                   std::string(rows.Text(row, base + 1))};
    }
  }
  if (more && !last.keys.empty()) page.next = SealCursor(cipher, list, last);
  if (!more && query.after.empty()) page.count = static_cast<int64_t>(page.rows.size());
  return page;
}

}  // namespace canbao::reg
