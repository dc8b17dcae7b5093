#include "app/demo/sheets.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unicode/ucnv.h>
#include <unistd.h>
#include <xlsxwriter.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <utility>

#include "app/demo/random.h"

namespace canbao::demo {
namespace {

struct Names {
  Field field;
  std::vector<std::string_view> headers;  // extracts: any of these is understood
  bool optional = false;                  // some agencies leave the column out
};

const std::vector<Names>& EnrolmentNames() {
  static const std::vector<Names> kNames = {
      {Field::kPersonNo, {"个人编号", "AAC001"}},
      {Field::kIdType, {"证件类型", "AAC058", "AAA029"}},
      {Field::kId, {"证件号码", "社会保障号码", "AAC002", "AAC147", "AAE135"}},
      {Field::kName, {"姓名", "AAC003"}},
      {Field::kSex, {"性别", "AAC004"}},
      {Field::kBirth, {"出生日期", "AAC006"}},
      {Field::kHukouType, {"户口性质", "AAC009"}},
      {Field::kScheme, {"险种", "AAE140"}},
      {Field::kState, {"参保状态", "AAC008"}},
      {Field::kContribution, {"缴费状态", "AAC031"}},
      {Field::kBenefit, {"待遇状态", "AAE116"}},
      {Field::kEnrolledOn, {"本次参保日期", "AAC030"}},
      {Field::kFirstMonth, {"首次参保年月", "AAC049"}},
      {Field::kEndedOn, {"终止日期", "AAE031"}},
      {Field::kEmployerNo, {"单位编号", "AAB001"}},
      {Field::kEmployerName, {"单位名称", "AAB004"}},
      {Field::kUscc, {"统一社会信用代码", "BAB010"}},
      {Field::kRegion, {"统筹区", "行政区划代码", "AAB301"}},
      {Field::kCategory, {"参保身份", "AAC066"}},
      {Field::kPhone, {"联系电话", "AAE005"}, true},
      {Field::kAddress, {"通信地址", "AAE006"}},
      {Field::kRemark, {"备注"}, true}};
  return kNames;
}
const std::vector<std::string_view> kIdHeaders = {"身份证号", "公民身份号码", "身份证号码",
                                                  "AAC002", "id_number"};
const std::vector<std::string_view> kNameHeaders = {"姓名", "AAC003", "name"};

void AddColumn(Sheet* sheet, Field field, std::string_view header) {
  sheet->columns.push_back({field, std::string(header)});
  sheet->has |= 1ULL << static_cast<int>(field);
}

void Shuffle(Sheet* sheet, Rng* rng) {
  for (size_t i = sheet->columns.size(); i > 1; --i) {
    std::swap(sheet->columns[i - 1], sheet->columns[rng->Below(static_cast<uint32_t>(i))]);
  }
}

void AddNamed(Sheet* sheet, Field field, std::span<const std::string_view> headers, Rng* rng) {
  AddColumn(sheet, field, headers[rng->Below(static_cast<uint32_t>(headers.size()))]);
}

// Three house styles, as found: old Windows systems, exports with a byte order mark, plain UTF-8.
void SetStyle(Sheet* sheet, int style, bool slim, Rng* rng) {
  sheet->state_encoding = true;
  sheet->date_style = static_cast<uint8_t>(rng->Below(3));
  sheet->sex_words = rng->Below(2) == 0;
  if (slim) {
    // UTF-8 throughout: the engines that the benchmarks compare with read nothing else.
    sheet->date_style = 0;
    return;
  }
  switch (style % 3) {
    case 0:
      sheet->gb18030 = true;
      sheet->crlf = true;
      break;
    case 1:
      sheet->bom = true;
      sheet->delimiter = '\t';
      sheet->state_encoding = false;
      break;
    default:
      sheet->delimiter = '|';
  }
}

Sheet MakeEnrolmentSheet(const Geography& geo, int city, std::string_view stem,
                         std::string_view system, uint16_t scheme, uint64_t seed, bool slim) {
  Rng rng(seed, static_cast<uint64_t>(city) * 1000 + scheme, 20);
  const uint32_t code = geo.cities[city].code;
  Sheet sheet;
  sheet.kind = "enrolment";
  sheet.stage = "internal";
  sheet.source = fmt::format("{}-{}", system, code);
  sheet.region = code;
  sheet.scheme = scheme;
  SetStyle(&sheet, city, slim, &rng);
  const bool resident = scheme == 170 || (scheme >= 380 && scheme < 400);
  const bool pays = scheme == 110 || scheme == 120 || scheme == 310;
  // Medical resident files are large and sometimes delivered compressed.
  sheet.gz = !slim && scheme >= 380 && scheme < 400 && city % 3 != 0;
  sheet.file = fmt::format("{}_{}.csv{}", stem, code, sheet.gz ? ".gz" : "");
  if (slim) {
    AddColumn(&sheet, Field::kPersonNo, "个人编号");
    AddColumn(&sheet, Field::kId, "证件号码");
    AddColumn(&sheet, Field::kName, "姓名");
    AddColumn(&sheet, Field::kState, "参保状态");
    AddColumn(&sheet, Field::kContribution, "缴费状态");
    AddColumn(&sheet, Field::kEnrolledOn, "本次参保日期");
    AddColumn(&sheet, Field::kEndedOn, "终止日期");
    AddColumn(&sheet, Field::kEmployerNo, "单位编号");
    AddColumn(&sheet, Field::kRegion, "统筹区");
    AddColumn(&sheet, Field::kCategory, "参保身份");
    sheet.manifest_scheme = scheme;
    return sheet;
  }
  // The unit is known by its number, its credit code, or both.
  const uint32_t unit = static_cast<uint32_t>(city) % 3;
  const bool fixed_scheme = !resident && !pays && rng.Below(4) == 0;
  if (fixed_scheme) sheet.manifest_scheme = scheme;
  for (const Names& names : EnrolmentNames()) {
    switch (names.field) {
      case Field::kScheme:
        if (fixed_scheme) continue;
        break;
      case Field::kBenefit:
        if (!pays) continue;
        break;
      case Field::kEmployerNo:
        if (resident || unit == 1) continue;
        break;
      case Field::kUscc:
        if (resident || unit == 0) continue;
        break;
      case Field::kEmployerName:
        if (resident || unit == 2) continue;
        break;
      case Field::kRegion:
        if (!resident && unit == 1) continue;
        break;
      case Field::kPhone:
        break;
      default:
        if (names.optional && rng.Below(3) == 0) continue;
    }
    AddNamed(&sheet, names.field, names.headers, &rng);
  }
  Shuffle(&sheet, &rng);
  return sheet;
}

// A department's or the police's file: the number, the name and its own columns.
Sheet MakeOtherSheet(uint32_t province, std::string_view kind, std::string_view source,
                     std::string_view stage, const std::vector<Names>& columns, bool person,
                     uint64_t seed, bool slim, int style) {
  uint64_t name_hash = 0;
  for (char c : kind) name_hash = MixBits(name_hash * 31 + static_cast<uint8_t>(c));
  Rng rng(seed, name_hash & 0xFFFF, 21);
  Sheet sheet;
  sheet.kind = kind;
  sheet.source = source;
  sheet.stage = stage;
  sheet.file = fmt::format("{}_{}.csv", kind, province);
  SetStyle(&sheet, slim ? 1 : style, slim, &rng);
  if (!slim && style >= 3) {
    // Departments: comma, mostly.
    sheet.delimiter = ',';
    sheet.bom = style == 4;
    sheet.gb18030 = style == 3 || style == 6;
    sheet.crlf = style == 6;
    sheet.state_encoding = style != 4;
  }
  auto add = [&](Field f, std::span<const std::string_view> headers) {
    if (slim) {
      AddColumn(&sheet, f, headers[0]);
    } else {
      AddNamed(&sheet, f, headers, &rng);
    }
  };
  if (person) {
    add(Field::kId, kIdHeaders);
    add(Field::kName, kNameHeaders);
  }
  for (const Names& names : columns) {
    if (slim && names.optional) continue;
    add(names.field, names.headers);
  }
  if (!slim) Shuffle(&sheet, &rng);
  return sheet;
}

struct Gb18030Table {
  std::array<std::array<char, 5>, 65536> code{};  // [4] = length
  Gb18030Table() {
    UErrorCode status = U_ZERO_ERROR;
    UConverter* converter = ucnv_open("gb18030", &status);
    for (uint32_t cp = 0x80; cp < 65536; ++cp) {
      if (cp >= 0xD800 && cp < 0xE000) continue;
      const auto unit = static_cast<UChar>(cp);
      status = U_ZERO_ERROR;
      const int32_t n = ucnv_fromUChars(converter, code[cp].data(), 4, &unit, 1, &status);
      code[cp][4] = static_cast<char>(n);
    }
    ucnv_close(converter);
  }
};

}  // namespace

SheetPlan PlanSheets(const Geography& geo, uint64_t seed, bool slim, bool extras, bool workbook) {
  SheetPlan plan;
  auto add = [&](Sheet sheet) {
    plan.sheets.push_back(std::move(sheet));
    return static_cast<int>(plan.sheets.size()) - 1;
  };
  const uint32_t province = geo.province;
  auto other = [&](std::string_view kind, std::string_view source, std::string_view stage,
                   const std::vector<Names>& columns, int style, bool person = true) {
    return add(MakeOtherSheet(province, kind, source, stage, columns, person, seed, slim, style));
  };
  plan.register_sheet = other("household_register", "ga-hj", "internal",
                              {{Field::kSex, {"性别", "AAC004"}},
                               {Field::kBirth, {"出生日期", "AAC006"}},
                               {Field::kEthnicity, {"民族", "AAC005"}, true},
                               {Field::kHukouDivision, {"户籍地区划", "户籍地区划代码"}},
                               {Field::kAddress, {"户籍地址", "AAC010"}, true},
                               {Field::kHouseholdNo, {"户号", "户口簿编号", "AAB401"}, true},
                               {Field::kRelation, {"与户主关系"}, true},
                               {Field::kHukouType, {"户口性质", "AAC009"}, true},
                               {Field::kManagement, {"管理状态"}},
                               {Field::kChangedOn, {"变动日期"}},
                               {Field::kPhone, {"联系电话"}, true}},
                              6);
  plan.employer = other("employer", "gs-dw", "internal",
                        {{Field::kEmployerNo, {"单位编号", "AAB001"}},
                         {Field::kUscc, {"统一社会信用代码", "BAB010"}},
                         {Field::kEmployerName, {"单位名称", "AAB004"}},
                         {Field::kUnitType, {"单位类型", "AAB019"}},
                         {Field::kIndustry, {"行业", "AAB022"}, true},
                         {Field::kRegion, {"区划", "AAB301"}},
                         {Field::kHeadcount, {"用工人数"}, true}},
                        5, false);
  const int cities = static_cast<int>(geo.cities.size());
  for (int c = 0; c < cities; ++c) {
    auto enrolment = [&](std::string_view stem, std::string_view system, uint16_t scheme) {
      return add(MakeEnrolmentSheet(geo, c, stem, system, scheme, seed, slim));
    };
    std::array<int, 9> list{};
    list[0] = enrolment("pension_employee", "sb", 110);
    list[1] = enrolment("pension_institution", "sb", 120);
    list[2] = enrolment("pension_resident", "jb", 170);
    list[3] = enrolment("medical_employee", "sb", 310);
    list[4] = enrolment("unemployment", "sb", 210);
    list[5] = enrolment("work_injury", "sb", 410);
    list[6] = enrolment("maternity", "sb", 510);
    if (c % 3 == 1) {
      list[7] = enrolment("medical_urban_resident", "yb", 391);
      list[8] = enrolment("medical_rural", "nh", 380);
    } else {
      list[7] = enrolment("medical_resident", "yb", 390);
      list[8] = -1;
    }
    plan.enrolment.push_back(list);
  }
  plan.reply = other("national_reply", "bj-bd", "cross_province",
                     {{Field::kScheme, {"险种"}},
                      {Field::kRegion, {"行政区划"}},
                      {Field::kState, {"参保状态", "AAC008"}},
                      {Field::kContribution, {"缴费状态", "AAC031"}},
                      {Field::kEnrolledOn, {"参保日期"}}},
                     4);
  plan.permit = slim ? -1
                     : other("residence_permit", "ga-jzz", "cross_department",
                             {{Field::kResidence, {"居住地区划"}},
                              {Field::kAddress, {"居住地址"}},
                              {Field::kRegisteredOn, {"登记日期"}},
                              {Field::kPhone, {"联系电话"}}},
                             5);
  plan.student = other("student", "jy-xj", "cross_department",
                       {{Field::kSchool, {"学校"}, true},
                        {Field::kStage, {"学段"}, true},
                        {Field::kStatus, {"学籍状态"}},
                        {Field::kFullTime, {"全日制"}},
                        {Field::kFrom, {"入学日期", "enrolled_on"}},
                        {Field::kUntil, {"毕业日期", "预计毕业日期", "graduates_on"}}},
                       1);
  plan.death = other("death", "mz-sw", "cross_department", {{Field::kFrom, {"死亡日期"}}}, 0);
  plan.prisoner = other("prisoner", "sf-jy", "cross_department",
                        {{Field::kFrom, {"收监日期"}}, {Field::kUntil, {"释放日期"}}}, 3);
  plan.military = other("military", "wzb", "cross_department",
                        {{Field::kWord, {"类别"}},
                         {Field::kFrom, {"开始日期", "from"}},
                         {Field::kUntil, {"结束日期", "until"}}},
                        5);
  if (workbook) {
    Sheet& sheet = plan.sheets[plan.military];
    sheet.xlsx = true;
    sheet.state_encoding = false;
    sheet.gb18030 = sheet.bom = false;
    sheet.file = fmt::format("military_{}.xlsx", province);
  }
  plan.abroad = other(
      "abroad", "ga-crj", "cross_department",
      {{Field::kFrom, {"出境日期"}}, {Field::kWord, {"目的"}}, {Field::kUntil, {"入境日期"}}}, 2);
  plan.wage = other("wage_tax", "sw-gs", "cross_department",
                    {{Field::kUscc, {"扣缴单位信用代码"}}, {Field::kMonth, {"所属期"}}}, 5);
  plan.subsidised =
      slim
          ? -1
          : other("subsidised", "mz-cl", "cross_department",
                  {{Field::kWord, {"类别"}}, {Field::kGrade, {"等级"}}, {Field::kRemark, {"备注"}}},
                  3);
  plan.card = slim ? -1
                   : other("card", "sbk", "internal",
                           {{Field::kCardNo, {"卡号"}},
                            {Field::kIssuedBy, {"发卡地"}},
                            {Field::kStatus, {"卡状态"}},
                            {Field::kFrom, {"发卡日期", "issued_on"}}},
                           3);
  plan.remote = slim ? -1
                     : other("remote_medical", "ydjy", "cross_province",
                             {{Field::kRegion, {"参保地"}},
                              {Field::kCareRegion, {"就医地"}},
                              {Field::kWord, {"备案类型"}},
                              {Field::kFrom, {"开始日期", "from"}},
                              {Field::kUntil, {"结束日期", "until"}}},
                             5);
  if (!slim) {
    for (int i : {plan.wage, plan.card}) {
      plan.sheets[i].gz = true;
      plan.sheets[i].file += ".gz";
    }
  }
  if (extras) {
    plan.filing =
        other("employment_filing", "jy-ba", "cross_department",
              {{Field::kUscc, {"uscc"}}, {Field::kFrom, {"from"}}, {Field::kUntil, {"until"}}}, 5);
    plan.staffing = other("staffing", "bb-sm", "cross_department",
                          {{Field::kEmployerName, {"unit"}}, {Field::kWord, {"category"}}}, 5);
    plan.settlement = other("medical_settlement", "yb-js", "internal",
                            {{Field::kScheme, {"scheme"}},
                             {Field::kAdmission, {"admission_no"}},
                             {Field::kFrom, {"from"}},
                             {Field::kUntil, {"until"}},
                             {Field::kPaid, {"paid"}}},
                            5);
  }
  plan.population = other("resident_population", "tj-ck", "internal",
                          {{Field::kRegion, {"行政区划", "division"}},
                           {Field::kYear, {"年份", "year"}},
                           {Field::kPopulation, {"常住人口", "population"}}},
                          5, false);
  return plan;
}

void RowText::SetNumber(Field f, uint64_t value, int min_digits) {
  char text[24];
  int at = 24;
  do {
    text[--at] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0 || 24 - at < min_digits);
  Set(f, {text + at, static_cast<size_t>(24 - at)});
}

void RowText::SetDate(Field f, uint32_t ymd, uint8_t style) {
  if (ymd == 0) return;
  char text[16];
  int n = 0;
  const uint32_t y = ymd / 10000, m = ymd / 100 % 100, d = ymd % 100;
  auto put = [&](uint32_t v, int digits) {
    for (int i = digits - 1; i >= 0; --i) {
      text[n + i] = static_cast<char>('0' + v % 10);
      v /= 10;
    }
    n += digits;
  };
  put(y, 4);
  if (style == 1) text[n++] = '-';
  if (style == 2) text[n++] = '/';
  put(m, style == 2 && m < 10 ? 1 : 2);
  if (style == 1) text[n++] = '-';
  if (style == 2) text[n++] = '/';
  put(d, style == 2 && d < 10 ? 1 : 2);
  Set(f, {text, static_cast<size_t>(n)});
}

void AppendGb18030(std::string_view utf8, std::string* out) {
  static const Gb18030Table kTable;
  for (size_t i = 0; i < utf8.size();) {
    const auto b = static_cast<uint8_t>(utf8[i]);
    if (b < 0x80) {
      *out += utf8[i++];
      continue;
    }
    uint32_t cp;
    auto tail = [&](size_t k) { return static_cast<uint8_t>(utf8[i + k]) & 0x3Fu; };
    if (b < 0xE0) {
      cp = (b & 0x1Fu) << 6 | tail(1);
      i += 2;
    } else if (b < 0xF0) {
      cp = (b & 0x0Fu) << 12 | tail(1) << 6 | tail(2);
      i += 3;
    } else {
      cp = (b & 0x07u) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3);
      i += 4;
    }
    if (cp < 65536) {
      out->append(kTable.code[cp].data(), static_cast<size_t>(kTable.code[cp][4]));
    } else {
      // Supplementary planes: linear from 90 30 81 30.
      uint32_t linear = cp - 0x10000 + (0x90 - 0x81) * 12600u;
      char four[4];
      four[3] = static_cast<char>(0x30 + linear % 10);
      linear /= 10;
      four[2] = static_cast<char>(0x81 + linear % 126);
      linear /= 126;
      four[1] = static_cast<char>(0x30 + linear % 10);
      four[0] = static_cast<char>(0x81 + linear / 10);
      out->append(four, 4);
    }
  }
}

int AppendRow(const Sheet& sheet, const RowText& row, int extra_fields, std::string* out) {
  int lines = 1;
  const int columns = static_cast<int>(sheet.columns.size());
  const int written = std::min(columns, columns + extra_fields);
  for (int c = 0; c < written; ++c) {
    if (c > 0) *out += sheet.delimiter;
    const std::string_view text = row.Get(sheet.columns[c].field);
    bool ascii = true, quote = false;
    for (char ch : text) {
      ascii &= static_cast<uint8_t>(ch) < 0x80;
      quote |= ch == sheet.delimiter || ch == '"' || ch == '\n' || ch == '\r';
    }
    if (quote) {
      std::string quoted = "\"";
      for (char ch : text) {
        if (ch == '"') quoted += '"';
        if (ch == '\n') ++lines;
        quoted += ch;
      }
      quoted += '"';
      if (sheet.gb18030) {
        AppendGb18030(quoted, out);
      } else {
        *out += quoted;
      }
    } else if (sheet.gb18030 && !ascii) {
      AppendGb18030(text, out);
    } else {
      out->append(text);
    }
  }
  for (int i = 0; i < extra_fields; ++i) *out += sheet.delimiter;
  *out += sheet.crlf ? "\r\n" : "\n";
  return lines;
}

std::string HeaderLine(const Sheet& sheet) {
  std::string line = sheet.bom ? "\xEF\xBB\xBF" : "";
  for (size_t c = 0; c < sheet.columns.size(); ++c) {
    if (c > 0) line += sheet.delimiter;
    if (sheet.gb18030) {
      AppendGb18030(sheet.columns[c].header, &line);
    } else {
      line += sheet.columns[c].header;
    }
  }
  line += sheet.crlf ? "\r\n" : "\n";
  return line;
}

PackedBlock PackBlock(std::string_view plain) {
  PackedBlock packed;
  packed.plain_size = plain.size();
  packed.crc =
      static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(plain.data()), plain.size()));
  if (plain.empty()) return packed;
  z_stream stream{};
  deflateInit2(&stream, 1, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
  packed.bytes.resize(deflateBound(&stream, plain.size()) + 64);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.bytes.data());
  stream.avail_out = static_cast<uInt>(packed.bytes.size());
  deflate(&stream, Z_FULL_FLUSH);
  packed.bytes.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

SheetFile::SheetFile(std::string path, bool gz) : path_(std::move(path)), gz_(gz) {}
SheetFile::SheetFile(SheetFile&& other) noexcept
    : path_(std::move(other.path_)),
      gz_(other.gz_),
      fd_(std::exchange(other.fd_, -1)),
      crc_(other.crc_),
      plain_(other.plain_),
      sha_(std::move(other.sha_)) {}
SheetFile::~SheetFile() {
  if (fd_ >= 0) close(fd_);
}

Status SheetFile::Open() {
  fd_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd_ < 0) {
    return Fail(Error{ErrorClass::kEnvironment,
                      "CB-APP-0102",
                      Msg("无法写入文件：{0}", "cannot write the file: {0}", std::strerror(errno)),
                      {},
                      path_,
                      0,
                      0});
  }
  // RFC 1952 header: deflate, no name, no time, unknown system.
  if (gz_) return Write(std::string_view("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10));
  return {};
}

Status SheetFile::Write(std::string_view bytes) {
  sha_.Update(bytes);
  while (!bytes.empty()) {
    const ssize_t n = write(fd_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      return Fail(Error{ErrorClass::kEnvironment, "CB-APP-0103",
                        Msg("写入失败：{0}", "write failed: {0}", std::strerror(errno)),
                        Msg("请检查磁盘空间", "check the free disk space"), path_, 0, 0});
    }
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

Status SheetFile::Append(std::string_view plain) { return Write(plain); }

Status SheetFile::Append(const PackedBlock& packed) {
  crc_ = static_cast<uint32_t>(
      crc32_combine(crc_, packed.crc, static_cast<z_off_t>(packed.plain_size)));
  plain_ += packed.plain_size;
  return Write(packed.bytes);
}

Result<std::string> SheetFile::Finish() {
  if (gz_) {
    std::string end("\x03\0", 2);  // an empty last block
    for (uint32_t v : {crc_, static_cast<uint32_t>(plain_)}) {
      for (int shift = 0; shift < 32; shift += 8) end += static_cast<char>(v >> shift & 0xFF);
    }
    CANBAO_TRY(Write(end));
  }
  close(std::exchange(fd_, -1));
  return sha_.FinishHex();
}

Status WriteWorkbook(const std::string& path, const Sheet& sheet, std::string_view title,
                     std::string_view filled_by,
                     const std::vector<std::vector<std::string>>& rows) {
  lxw_workbook* workbook = workbook_new(path.c_str());
  lxw_doc_properties properties{};
  properties.created = 1507426200;  // 2017-10-08, so that the bytes do not depend on the clock
  workbook_set_properties(workbook, &properties);
  lxw_worksheet* worksheet = workbook_add_worksheet(workbook, nullptr);
  worksheet_write_string(worksheet, 0, 0, std::string(title).c_str(), nullptr);
  worksheet_write_string(worksheet, 1, 0, std::string(filled_by).c_str(), nullptr);
  for (size_t c = 0; c < sheet.columns.size(); ++c) {
    worksheet_write_string(worksheet, 2, static_cast<lxw_col_t>(c), sheet.columns[c].header.c_str(),
                           nullptr);
  }
  for (size_t r = 0; r < rows.size(); ++r) {
    for (size_t c = 0; c < rows[r].size(); ++c) {
      if (rows[r][c].empty()) continue;
      worksheet_write_string(worksheet, static_cast<lxw_row_t>(r + 3), static_cast<lxw_col_t>(c),
                             rows[r][c].c_str(), nullptr);
    }
  }
  const lxw_error error = workbook_close(workbook);
  if (error != LXW_NO_ERROR) {
    return Fail(
        Error{ErrorClass::kEnvironment,
              "CB-APP-0104",
              Msg("无法写入工作簿：{0}", "cannot write the workbook: {0}", lxw_strerror(error)),
              {},
              path,
              0,
              0});
  }
  return {};
}

}  // namespace canbao::demo
