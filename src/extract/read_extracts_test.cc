// Small deliveries made here: what rows become, and every way a file can be refused.
#include <gtest/gtest.h>
#include <xlsxwriter.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <mutex>

#include "base/digest.h"
#include "extract/delivery.h"
#include "extract/errors.h"
#include "extract/inspect.h"
#include "extract/reject_export.h"
#include "identity/citizen_number.h"

namespace canbao::extract {
namespace {

namespace fs = std::filesystem;
using scheme::EvidenceKind;
using scheme::State;

// An invented number: division, birth, sequence.
std::string Number(uint32_t division, uint32_t birth, uint32_t sequence) {
  uint64_t first17 = uint64_t{division} * 100000000000u + uint64_t{birth} * 1000 + sequence;
  return std::to_string(first17) + identity::CheckDigitOf(first17);
}
const std::string kZhang = Number(330102, 19800307, 123);
const std::string kLi = Number(330106, 19911224, 46);

struct OwnedRow {
  Row row;  // its views are not valid any more …
  std::string id_number, name, address, phone, detail, category, uscc, state_text, person_no;
};
struct OwnedReject {
  uint64_t line;
  int sheet;
  std::string code, field, text;
  int column;
};

class RowCollector : public RowSink {
 public:
  Status OnBatch(int, const RowBatch& batch) override {
    std::lock_guard lock(mu_);
    for (const Row& r : batch.rows) {
      rows.push_back({r, std::string(r.id_number), std::string(r.name), std::string(r.address),
                      std::string(r.phone), std::string(r.detail), std::string(r.category),
                      std::string(r.uscc), std::string(r.state_text), std::string(r.person_no)});
    }
    for (const Reject& r : batch.rejects) {
      rejects.push_back({r.line, r.sheet, std::string(RejectCode(r.reason)), std::string(r.field),
                         std::string(r.text), r.column});
    }
    return {};
  }
  std::vector<OwnedRow> rows;
  std::vector<OwnedReject> rejects;

 private:
  std::mutex mu_;
};

class ReadExtractsTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("canbao-read-" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    spec_.kind = Kind::kDeath;
    spec_.source = "mz-sw";
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string Path(const std::string& name) const { return (folder_ / name).string(); }
  // Reads one file with the given bytes.
  std::string Read(const std::string& name, const std::string& bytes) {
    std::ofstream(Path(name), std::ios::binary) << bytes;
    return ReadFile(name);
  }
  std::string ReadFile(const std::string& name) {
    sink_.rows.clear();
    sink_.rejects.clear();
    Delivery delivery;
    delivery.folder = folder_.string();
    spec_.file = name;
    spec_.path = Path(name);
    delivery.extracts = {spec_};
    options_.today = Date::FromYmd(2017, 10, 8);
    auto accounts = ReadExtracts(delivery, {0}, CANBAO_SOURCE_DIR "/data", &sink_, options_);
    if (!accounts) {
      error_ = accounts.error();
      return error_.code;
    }
    account_ = accounts->at(0);
    std::sort(sink_.rows.begin(), sink_.rows.end(), [](const auto& a, const auto& b) {
      return std::pair(a.row.sheet, a.row.line) < std::pair(b.row.sheet, b.row.line);
    });
    EXPECT_EQ(account_.rows_in, account_.accepted + account_.rejected);
    EXPECT_EQ(account_.accepted, sink_.rows.size());
    EXPECT_EQ(account_.rejected, sink_.rejects.size());
    return "";
  }

  fs::path folder_;
  ExtractSpec spec_;
  ReadOptions options_;
  RowCollector sink_;
  ExtractAccount account_;
  Error error_;
};

const std::string kDeaths = "AAC002,姓名,死亡日期\n";

TEST_F(ReadExtractsTest, HeaderOnlyIsAnEmptyList) {
  EXPECT_EQ(Read("a.csv", kDeaths), "");
  EXPECT_EQ(account_.rows_in, 0u);
  EXPECT_EQ(Read("b.csv", "AAC002,姓名,死亡日期"), "");
  EXPECT_EQ(account_.rows_in, 0u);
}

TEST_F(ReadExtractsTest, LinesAreThoseOfTheFile) {
  EXPECT_EQ(Read("a.csv", "名单\n\n" + kDeaths + kZhang + ",张三,20170101\r\n\r\n   \n" + kLi +
                              ",\"李\n四\",2017/1/2\n" + kLi + ",王五,2017-01-03"),
            "");
  ASSERT_EQ(sink_.rows.size(), 3u);
  EXPECT_EQ(account_.header_line, 3u);
  EXPECT_EQ(sink_.rows[0].row.line, 4u);
  EXPECT_EQ(sink_.rows[1].row.line, 7u);
  EXPECT_EQ(sink_.rows[1].name, "李\n四");
  EXPECT_EQ(sink_.rows[2].row.line, 9u);
  EXPECT_EQ(sink_.rows[2].row.from.yyyymmdd(), 20170103u);
  EXPECT_EQ(sink_.rows[0].row.evidence, EvidenceKind::kDeath);
}

TEST_F(ReadExtractsTest, RowsThatAreRejected) {
  EXPECT_EQ(Read("a.csv", kDeaths + kZhang + ",张三\n" + kZhang + ",张三,20170101,1\n" + kZhang +
                              ",,20170101\n" + kZhang + ",张三,20171301\n" + kZhang +
                              ",\xFF\xFE,20170101\n" + "," + "张三,20170101\n" + kZhang + "," +
                              std::string(5000, 'a') + ",20170101\n" + "无,张三,20170101\n"),
            "");
  std::vector<std::string> codes;
  for (const auto& r : sink_.rejects) codes.push_back(r.code + " " + r.field);
  ASSERT_EQ(codes,
            (std::vector<std::string>{"row_too_few ", "row_too_many ", "row_required_missing name",
                                      "date_impossible died_on", "encoding_invalid name",
                                      "row_required_missing id_number", "value_too_long name"}));
  EXPECT_EQ(sink_.rejects[2].line, 4u);
  EXPECT_EQ(sink_.rejects[2].column, 2);
  EXPECT_EQ(sink_.rejects[2].text, kZhang + ",,20170101");
  EXPECT_EQ(sink_.rejects[4].text, kZhang + ",\xEF\xBF\xBD\xEF\xBF\xBD,20170101");
  // A placeholder for the number is "none", not "missing".
  ASSERT_EQ(sink_.rows.size(), 1u);
  EXPECT_EQ(sink_.rows[0].row.number.cls, identity::NumberClass::kMissing);
}

TEST_F(ReadExtractsTest, ARegisterTakesAnImpossibleBirthFromTheNumber) {
  spec_.kind = Kind::kHouseholdRegister;
  EXPECT_EQ(
      Read("a.csv", "id_number,name,sex,birth_date,hukou_division,management,AAC005,AAC009\n" +
                        kZhang + ",张三,男,19801399,330102001005,,汉族,农业\n" +
                        "330102198003071111,李四,2,19801399,330102,死亡,02,20\n" + kLi +
                        ",王五,x,1991/12/24,330106001,其它,,\n" + kLi +
                        ",赵六,1,1991-12-24,乱,管理中,,\n"),
      "");
  ASSERT_EQ(sink_.rows.size(), 2u);
  EXPECT_EQ(sink_.rows[0].row.birth.yyyymmdd(), 19800307u);
  EXPECT_EQ(sink_.rows[0].row.findings & kBirthDateDropped, kBirthDateDropped);
  EXPECT_EQ(sink_.rows[0].row.division.v, 330102001005u);
  EXPECT_EQ(sink_.rows[0].row.management, scheme::Management::kManaged);
  EXPECT_EQ(sink_.rows[0].row.ethnicity, 1);
  EXPECT_EQ(sink_.rows[0].row.hukou_type, 20);
  EXPECT_EQ(sink_.rows[1].row.management, scheme::Management::kOther);
  EXPECT_EQ(sink_.rows[1].row.findings & kSexUnreadable, kSexUnreadable);
  EXPECT_EQ(sink_.rows[1].row.division.v, 330106001000u);
  ASSERT_EQ(sink_.rejects.size(), 2u);
  EXPECT_EQ(sink_.rejects[0].code, "date_impossible");
  EXPECT_EQ(sink_.rejects[1].code, "region_unknown");
}

TEST_F(ReadExtractsTest, EnrolmentsWithStatesSchemesAndRegions) {
  spec_.kind = Kind::kEnrolment;
  spec_.source = "sb-330100";
  spec_.region = 330100;
  EXPECT_EQ(Read("a.csv",
                 "AAC002,公民身份号码,姓名,险种,AAC008,AAC031,AAE116,AAB301,AAC030,AAC049,BAB010,"
                 "AAC066,备注\n" +
                     kZhang + ",,张三,110,1,1,,,20100102,201001,,101,a|b\n" + kZhang + "," + kLi +
                     ",李四,170,1,3,,330102,2010-13-01,,,200,\"转入,见附件\"\n" +
                     ",,王五,110,2,,2,330109,,,91330102MA0000000X,,原件\"存档\"\n" + kZhang +
                     ",,张三,999,1,1,,,,,,,\n" + kZhang + ",,张三,110,77,1,,,,,,,\n" + kZhang +
                     ",,张三,320,1,1,,,,,,,\n" + kZhang + ",,张三,110,0,,,,,,,,\n" + kZhang +
                     ",,张三,110,,1,,,,,,,\n" + "3.30102198003E+17,,张三,110,1,1,,,,,,,\n" + " '" +
                     kZhang + ",,张三,110,1,1,,,,,,,\n"),
            "");
  ASSERT_EQ(sink_.rows.size(), 8u);
  const auto& r = sink_.rows;
  EXPECT_EQ(r[0].row.state, State::kContributing);
  EXPECT_EQ(r[0].row.region, 330100u);
  EXPECT_EQ(r[0].row.first_month.yyyymmdd(), 20100101u);
  EXPECT_EQ(r[0].row.insured_category, 101);
  EXPECT_EQ(r[0].state_text, "1/1/");
  EXPECT_EQ(r[0].id_number, kZhang);
  // 公民身份号码 comes before AAC002 in the list of priority.
  EXPECT_EQ(r[1].id_number, kLi);
  EXPECT_EQ(r[1].row.state, State::kReceiving);
  EXPECT_EQ(r[1].row.region, 330102u);
  EXPECT_EQ(r[1].row.findings & kOptionalDateDropped, kOptionalDateDropped);
  EXPECT_FALSE(r[1].row.enrolled_on.has_value());
  EXPECT_EQ(r[2].row.state, State::kBenefitSuspended);
  EXPECT_EQ(r[2].row.findings & kCreditCodeSoft, kCreditCodeSoft);
  EXPECT_EQ(r[2].row.number.cls, identity::NumberClass::kMissing);
  EXPECT_EQ(r[3].row.state, State::kUnmapped);
  EXPECT_EQ(r[3].row.findings & kStateUnmapped, kStateUnmapped);
  EXPECT_EQ(r[4].row.scheme, 320);
  EXPECT_EQ(r[5].row.state, State::kNotEnrolled);
  EXPECT_EQ(r[6].row.findings & kNumberShown, kNumberShown);
  EXPECT_EQ(r[6].row.number.cls, identity::NumberClass::kDamaged);
  EXPECT_EQ(r[7].row.findings & kNumberCleaned, kNumberCleaned);
  EXPECT_EQ(r[7].row.number.number, identity::FromText18(kZhang));
  EXPECT_EQ(account_.unmapped_states, 1u);
  ASSERT_EQ(sink_.rejects.size(), 2u);
  EXPECT_EQ(sink_.rejects[0].code, "scheme_unknown");
  EXPECT_EQ(sink_.rejects[1].code, "row_required_missing");
  EXPECT_EQ(sink_.rejects[1].field, "enrolment_state");
}

TEST_F(ReadExtractsTest, EvidenceOfDepartments) {
  spec_.kind = Kind::kStudent;
  EXPECT_EQ(Read("s.csv", "AAC002,姓名,学籍状态,全日制,学校,预计毕业日期\n" + kZhang +
                              ",张三,在读,是,一中,2018-06-30\n" + kZhang + ",张三,在读,否,一中,\n" +
                              kZhang + ",张三,毕业,是,一中,\n" + kZhang + ",张三,升仙,是,一中,\n"),
            "");
  ASSERT_EQ(sink_.rows.size(), 3u);
  EXPECT_EQ(sink_.rows[0].row.evidence, EvidenceKind::kFullTimeStudent);
  EXPECT_EQ(sink_.rows[0].row.until.yyyymmdd(), 20180630u);
  EXPECT_EQ(sink_.rows[0].detail, "一中");
  EXPECT_EQ(sink_.rows[1].row.evidence, EvidenceKind::kPartTimeStudent);
  EXPECT_EQ(sink_.rows[2].row.evidence, EvidenceKind::kCard);
  EXPECT_EQ(sink_.rejects.at(0).code, "value_unreadable");

  spec_.kind = Kind::kMilitary;
  EXPECT_EQ(Read("m.csv", "AAC002,姓名,类别,开始日期,结束日期\n" + kZhang +
                              ",张三,现役,20150101,\n" + kZhang + ",张三,随军家属建账,,20180101\n"),
            "");
  EXPECT_EQ(sink_.rows.at(0).row.evidence, EvidenceKind::kSoldier);
  EXPECT_EQ(sink_.rows.at(1).row.evidence, EvidenceKind::kArmyDependant);

  spec_.kind = Kind::kWageTax;
  EXPECT_EQ(Read("w.csv", "AAC002,姓名,扣缴单位信用代码,所属期\n" + kZhang +
                              ",张三,91330102MA0000000X,2017-09\n"),
            "");
  EXPECT_EQ(sink_.rows.at(0).row.from.yyyymmdd(), 20170901u);
  EXPECT_EQ(sink_.rows.at(0).row.evidence, EvidenceKind::kWageTax);

  spec_.kind = Kind::kRemoteMedical;
  EXPECT_EQ(Read("r.csv", "AAC002,姓名,参保地,就医地,备案类型\n" + kZhang +
                              ",张三,330200,310000,异地安置\n"),
            "");
  EXPECT_EQ(sink_.rows.at(0).row.region, 330200u);
  EXPECT_EQ(sink_.rows.at(0).row.care_region, 310000u);
  EXPECT_EQ(sink_.rows.at(0).category, "异地安置");

  spec_.kind = Kind::kNationalReply;
  spec_.source = "bj-bd";
  EXPECT_EQ(Read("n.csv", "证件号码,姓名,险种,行政区划,AAC008,参保日期\n" + kZhang +
                              ",张三,310,310100,1,2013-07-17\n" + kZhang + ",张三,310,火星,1,\n"),
            "");
  EXPECT_EQ(sink_.rows.at(0).row.state, State::kContributing);
  EXPECT_EQ(sink_.rows.at(0).row.region, 310100u);
  EXPECT_EQ(sink_.rejects.at(0).code, "region_unknown");

  spec_.kind = Kind::kResidentPopulation;
  EXPECT_EQ(Read("p.csv", "区划,年份,常住人口\n330100,2016年,\"2,295\"\n330100,2016,many\n"), "");
  EXPECT_EQ(sink_.rows.at(0).row.population, 2295u);
  EXPECT_EQ(sink_.rows.at(0).row.year, 2016);
  EXPECT_EQ(sink_.rejects.at(0).code, "value_unreadable");
}

TEST_F(ReadExtractsTest, FilesThatAreRefused) {
  EXPECT_EQ(Read("a.csv", ""), kErrFileEmpty);
  EXPECT_EQ(Read("a.csv", std::string("AAC002\0x", 8)), kErrFileBinary);
  EXPECT_EQ(Read("a.csv", "AAC002,姓名\n1,2\n"), kErrHeaderMissing);
  EXPECT_EQ(error_.line, 1);
  EXPECT_EQ(error_.cls, ErrorClass::kInput);
  EXPECT_EQ(Read("a.csv", "AAC002,姓名,死亡日期,姓名\n"), kErrHeaderTwice);
  EXPECT_EQ(Read("a.csv", kDeaths + kZhang + ",\"张三,20170101\n"), kErrQuoteOpen);
  EXPECT_EQ(error_.line, 2);
  EXPECT_EQ(Read("a.csv", kDeaths + kZhang + ",张三,20170101\n" + std::string(3 << 20, 'x') + "\n"),
            kErrRecordTooLong);
  EXPECT_EQ(error_.line, 3);
  std::string late = kDeaths;
  while (late.size() < (size_t{5} << 20)) late += kZhang + ",张三,20170101\n";
  EXPECT_EQ(Read("a.csv", late + std::string("\0\n", 2)), kErrFileBinary);
  EXPECT_EQ(Read("a.pdf", "%PDF"), kErrFileType);
  EXPECT_EQ(Read("a.xlsx", "PK no zip"), kErrWorkbook);
  EXPECT_EQ(Read("a.csv.gz", "no gzip"), kErrCompressed);
  spec_.encoding = "gb18030";
  EXPECT_EQ(Read("a.csv", "\xEF\xBB\xBF" + kDeaths), kErrEncodingDeclared);
}

TEST_F(ReadExtractsTest, ControlTotalsAndDigests) {
  std::string bytes = kDeaths + kZhang + ",张三,20170101\n" + kZhang + ",张三\n";
  spec_.rows = 2;
  spec_.sha256 = Sha256Hex(bytes);
  EXPECT_EQ(Read("a.csv", bytes), "");
  EXPECT_EQ(account_.rejected, 1u);
  EXPECT_EQ(Read("a.csv", bytes + "\n"), kErrDigest);
  spec_.sha256.clear();
  spec_.rows = 3;
  EXPECT_EQ(Read("a.csv", bytes), kErrRowCount);
}

TEST_F(ReadExtractsTest, CanBeCancelledAndReportsProgress) {
  std::string bytes = kDeaths;
  for (int i = 0; i < 1000; ++i) bytes += kZhang + ",张三,20170101\n";
  uint64_t last = 0;
  uint64_t all = 0;
  options_.progress = [&](uint64_t done, uint64_t total) {
    last = done;
    all = total;
  };
  EXPECT_EQ(Read("a.csv", bytes), "");
  EXPECT_EQ(last, bytes.size());
  EXPECT_EQ(all, bytes.size());
  std::atomic<bool> cancel{true};
  options_.cancel = &cancel;
  EXPECT_EQ(Read("a.csv", bytes), kErrInterrupted);
  EXPECT_EQ(error_.cls, ErrorClass::kInterrupted);
}

TEST_F(ReadExtractsTest, ASinkMayStopTheReading) {
  struct Full : RowSink {
    Status OnBatch(int, const RowBatch&) override {
      return Fail(ErrorClass::kEnvironment, "CB-TEST-0001", Msg("磁盘已满", "the disk is full"));
    }
  } full;
  std::ofstream(Path("a.csv")) << kDeaths + kZhang + ",张三,20170101\n";
  Delivery delivery;
  spec_.path = Path("a.csv");
  delivery.extracts = {spec_};
  auto accounts = ReadExtracts(delivery, {0}, CANBAO_SOURCE_DIR "/data", &full, options_);
  ASSERT_FALSE(accounts);
  EXPECT_EQ(accounts.error().code, "CB-TEST-0001");
}

// Workbooks.

void WriteRow(lxw_worksheet* sheet, lxw_row_t row, const std::vector<std::string>& cells) {
  for (size_t i = 0; i < cells.size(); ++i) {
    if (!cells[i].empty())
      worksheet_write_string(sheet, row, static_cast<lxw_col_t>(i), cells[i].c_str(), nullptr);
  }
}

TEST_F(ReadExtractsTest, WorkbooksWithTitlesSheetsAndNumbers) {
  std::string path = Path("a.xlsx");
  lxw_workbook* book = workbook_new(path.c_str());
  lxw_format* date = workbook_add_format(book);
  format_set_num_format(date, "yyyy\"年\"m\"月\"d\"日\"");
  lxw_format* amount = workbook_add_format(book);
  format_set_num_format(amount, "#,##0.00_);[Red](#,##0.00)");
  lxw_worksheet* notes = workbook_add_worksheet(book, "说明");
  WriteRow(notes, 0, {"填表说明", "姓名须与户口簿一致"});
  lxw_worksheet* first = workbook_add_worksheet(book, "一");
  WriteRow(first, 0, {"死亡人员名单"});
  WriteRow(first, 2, {"备注", "AAC002", "姓名", "死亡日期"});
  WriteRow(first, 3, {"", kZhang, "张三"});
  worksheet_write_number(first, 3, 3, 42736, date);  // 2017-01-01
  worksheet_write_number(first, 5, 1, static_cast<double>(330102198003071235), nullptr);
  worksheet_write_string(first, 5, 2, "李四", nullptr);
  worksheet_write_number(first, 5, 3, 20170102, nullptr);
  WriteRow(first, 6, {"x", "", "", ""});
  worksheet_write_string(first, 7, 1, kLi.c_str(), nullptr);
  worksheet_write_string(first, 7, 2, "王五", nullptr);
  worksheet_write_number(first, 7, 3, 42738.5, amount);  // a serial without a date format
  lxw_worksheet* hidden = workbook_add_worksheet(book, "旧");
  WriteRow(hidden, 0, {"AAC002", "姓名", "死亡日期"});
  WriteRow(hidden, 1, {kLi, "旧人", "20160101"});
  worksheet_hide(hidden);
  workbook_add_worksheet(book, "空");
  lxw_worksheet* second = workbook_add_worksheet(book, "二");
  WriteRow(second, 0, {"死亡日期", "姓名", "身份证号"});
  WriteRow(second, 1, {"2017-03-01", "赵\r\n六", kLi});
  for (int i = 0; i < 3000; ++i)
    WriteRow(second, static_cast<lxw_row_t>(i + 2), {"2017-03-01", "众" + std::to_string(i), kLi});
  ASSERT_EQ(workbook_close(book), LXW_NO_ERROR);

  ASSERT_EQ(ReadFile("a.xlsx"), "") << error_.ToString();
  ASSERT_EQ(sink_.rows.size(), 3004u);
  EXPECT_EQ(account_.sha256, *Sha256OfFile(path));
  EXPECT_EQ(account_.header, "备注,AAC002,姓名,死亡日期");
  const auto& r = sink_.rows;
  EXPECT_EQ(r[0].row.line, 4u);
  EXPECT_EQ(r[0].row.sheet, 1);
  EXPECT_EQ(r[0].row.from.yyyymmdd(), 20170101u);
  EXPECT_EQ(r[1].row.line, 6u);
  EXPECT_EQ(r[1].row.from.yyyymmdd(), 20170102u);
  // The spreadsheet lost the tail: not to be taken for digits.
  EXPECT_EQ(r[1].row.number.cls, identity::NumberClass::kDamaged);
  EXPECT_EQ(r[1].row.findings & kNumberShown, kNumberShown);
  EXPECT_EQ(r[2].row.from.yyyymmdd(), 20170103u);
  EXPECT_EQ(r[3].row.sheet, 4);
  EXPECT_EQ(r[3].row.line, 2u);
  EXPECT_EQ(r[3].name, "赵\r\n六");
  EXPECT_EQ(r[3003].name, "众2999");
  EXPECT_EQ(r[3003].row.line, 3002u);
  ASSERT_EQ(sink_.rejects.size(), 1u);
  EXPECT_EQ(sink_.rejects[0].line, 7u);
  EXPECT_EQ(sink_.rejects[0].sheet, 1);
  EXPECT_EQ(sink_.rejects[0].text, "x");

  // Truncated anywhere it is refused.
  std::ifstream in(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), {});
  for (size_t cut : {size_t{1}, size_t{100}, bytes.size() / 2}) {
    EXPECT_EQ(Read("cut.xlsx", bytes.substr(0, bytes.size() - cut)), kErrWorkbook) << cut;
  }
}

TEST_F(ReadExtractsTest, WorkbooksWithoutTheHeaderAreRefused) {
  lxw_workbook* book = workbook_new(Path("a.xlsx").c_str());
  WriteRow(workbook_add_worksheet(book, nullptr), 0, {"说明"});
  ASSERT_EQ(workbook_close(book), LXW_NO_ERROR);
  EXPECT_EQ(ReadFile("a.xlsx"), kErrHeaderMissing);
  book = workbook_new(Path("b.xlsx").c_str());
  WriteRow(workbook_add_worksheet(book, "名单"), 0, {"AAC002", "姓名"});
  ASSERT_EQ(workbook_close(book), LXW_NO_ERROR);
  EXPECT_EQ(ReadFile("b.xlsx"), kErrHeaderMissing);
  EXPECT_NE(error_.message.zh.find("名单"), std::string::npos);
}

// dBASE and old workbooks.

std::string Dbf(const std::vector<std::tuple<std::string, char, int>>& columns,
                const std::vector<std::string>& records) {
  std::string out(32, '\0');
  size_t size = 1;
  for (const auto& [name, type, width] : columns) size += static_cast<size_t>(width);
  auto head = static_cast<uint32_t>(32 + columns.size() * 32 + 1);
  out[0] = 3;
  out[4] = static_cast<char>(records.size());
  out[8] = static_cast<char>(head & 255);
  out[9] = static_cast<char>(head >> 8);
  out[10] = static_cast<char>(size);
  for (const auto& [name, type, width] : columns) {
    std::string field(32, '\0');
    field.replace(0, name.size(), name);
    field[11] = type;
    field[16] = static_cast<char>(width);
    out += field;
  }
  out += '\r';
  for (std::string record : records) {
    record.resize(size, ' ');
    out += record;
  }
  return out + '\x1A';
}

TEST_F(ReadExtractsTest, DbaseFiles) {
  std::string zhang_gb = "\xD5\xC5\xC8\xFD";
  std::string bytes =
      Dbf({{"AAC002", 'C', 18}, {"AAC003", 'C', 8}, {"died_on", 'D', 8}},
          {" " + kZhang + zhang_gb + "    20170101", "*" + kLi + zhang_gb + "    20170102",
           " " + kLi + zhang_gb + "    20170103"});
  ASSERT_EQ(Read("a.dbf", bytes), "") << error_.ToString();
  ASSERT_EQ(sink_.rows.size(), 2u);
  EXPECT_EQ(sink_.rows[0].name, "张三");
  EXPECT_EQ(sink_.rows[0].row.line, 2u);
  EXPECT_EQ(sink_.rows[1].row.line, 4u);
  EXPECT_EQ(sink_.rows[1].row.from.yyyymmdd(), 20170103u);
  EXPECT_EQ(Read("b.dbf", bytes.substr(0, bytes.size() - 20)), kErrDbf);
  EXPECT_EQ(Read("c.dbf", bytes.substr(0, 20)), kErrDbf);
  EXPECT_EQ(Read("d.dbf", "no dbase file, but long enough to have a head of 32 bytes"), kErrDbf);
}

TEST_F(ReadExtractsTest, OldWorkbooksNeedTheConverter) {
  fs::copy(CANBAO_SOURCE_DIR "/src/extract/testdata/deaths.xls", Path("a.xls"));
  std::string path = std::getenv("PATH");
  setenv("PATH", folder_.c_str(), 1);
  EXPECT_EQ(ReadFile("a.xls"), kErrConverterMissing);
  EXPECT_EQ(error_.cls, ErrorClass::kEnvironment);
  EXPECT_NE(error_.remedy.en.find("catdoc"), std::string::npos);
  setenv("PATH", path.c_str(), 1);
  if (std::system("command -v xls2csv >/dev/null") != 0) GTEST_SKIP() << "no xls2csv";
  ASSERT_EQ(ReadFile("a.xls"), "") << error_.ToString();
  ASSERT_EQ(sink_.rows.size(), 3u);
  EXPECT_EQ(sink_.rows[0].name, "郝,翠\"秀");
  EXPECT_EQ(sink_.rows[0].row.from.yyyymmdd(), 20130706u);
  EXPECT_EQ(sink_.rows[1].row.findings & kNumberShown, kNumberShown);
  EXPECT_GT(sink_.rows[2].row.sheet, 0);
  EXPECT_EQ(sink_.rows[2].name, "某\n某");
  EXPECT_NE(Read("b.xls", "no workbook"), "");
}

// Inspection and export.

TEST_F(ReadExtractsTest, InspectionOfAFileAlone) {
  std::string text = "AAC002,姓名,死亡日期,备注\n";
  for (int i = 0; i < 50; ++i)
    text += Number(330102, 19800307, static_cast<uint32_t>(i)) + ",张三,20170101,\n";
  text += "不详,李四,20170102,\n33010219800307123,王五,20170103,x\n" + kZhang + ",赵六\n";
  std::ofstream(Path("a.csv")) << text;
  InspectOptions options;
  options.today = Date::FromYmd(2017, 10, 8);
  auto profile = InspectFile(Path("a.csv"), CANBAO_SOURCE_DIR "/data", options);
  ASSERT_TRUE(profile) << profile.error().ToString();
  EXPECT_FALSE(profile->refused) << profile->refused->ToString();
  EXPECT_EQ(profile->kind, Kind::kDeath);
  EXPECT_TRUE(profile->kind_guessed);
  EXPECT_EQ(profile->rows, 53u);
  EXPECT_EQ(profile->rejected, 1u);
  EXPECT_EQ(profile->sha256, *Sha256OfFile(Path("a.csv")));
  ASSERT_EQ(profile->columns.size(), 4u);
  EXPECT_EQ(profile->columns[0].field, "id_number");
  EXPECT_EQ(profile->columns[0].placeholders, 1u);
  EXPECT_EQ(profile->columns[0].bad, 1u);
  EXPECT_NEAR(static_cast<double>(profile->columns[0].distinct), 51, 1);
  EXPECT_EQ(profile->columns[3].field, "");
  EXPECT_EQ(profile->columns[3].empty, 51u);
  ASSERT_EQ(profile->bad_rows.size(), 1u);
  EXPECT_EQ(profile->bad_rows[0].reason, "row_too_few");
  for (Lang lang : {Lang::kZh, Lang::kEn}) {
    std::string shown = ProfileText(*profile, lang);
    EXPECT_EQ(shown.find("1980030"), std::string::npos) << "a number is shown whole\n" << shown;
    EXPECT_NE(shown.find("row_too_few"), std::string::npos);
  }
  EXPECT_EQ(ProfileJson(*profile).find("1980030"), std::string::npos);

  std::ofstream(Path("b.csv")) << "foo,bar\n1,2\n";
  auto unknown = InspectFile(Path("b.csv"), CANBAO_SOURCE_DIR "/data", options);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, kErrKindNotGuessed);

  std::ofstream(Path("c.csv")) << "AAC002,姓名,死亡日期\n1,\"2\n";
  auto open = InspectFile(Path("c.csv"), CANBAO_SOURCE_DIR "/data", options);
  ASSERT_TRUE(open);
  ASSERT_TRUE(open->refused);
  EXPECT_EQ(open->refused->code, kErrQuoteOpen);
}

TEST_F(ReadExtractsTest, RejectsCanBeCorrectedAndDeliveredAgain) {
  ASSERT_EQ(Read("a.csv", kDeaths + kZhang + ",,20170101\n" + kLi + ",\"李,四\"\n"), "");
  std::vector<RejectedRecord> records;
  for (const auto& r : sink_.rejects) {
    RejectReason reason =
        r.code == "row_too_few" ? RejectReason::kTooFewFields : RejectReason::kRequiredMissing;
    records.push_back({std::to_string(r.line),
                       RejectWords(reason, r.field, static_cast<uint16_t>(r.column)), r.text});
  }
  ASSERT_TRUE(WriteCorrectable(Path("fix.csv"), account_.header, account_.delimiter, records));
  std::ifstream in(Path("fix.csv"), std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  EXPECT_EQ(text,
            "\xEF\xBB\xBFreject_reason,reject_line,AAC002,姓名,死亡日期\r\n"
            "row_required_missing name (column 2),2," +
                kZhang +
                ",,20170101\r\n"
                "row_too_few,3," +
                kLi + ",\"李,四\"\r\n");
  // As it is it is rejected again; corrected it is taken.
  ASSERT_EQ(ReadFile("fix.csv"), "");
  EXPECT_EQ(account_.rejected, 2u);
  text.replace(text.find(",,2017"), 2, ",张三,");
  text.replace(text.find("\"李,四\""), std::string("\"李,四\"").size(), "\"李,四\",20170102");
  ASSERT_EQ(Read("fixed.csv", text), "");
  EXPECT_EQ(account_.accepted, 2u);
  auto nowhere = WriteCorrectable(Path("no/such/folder.csv"), "a", ',', records);
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code, kErrWrite);
}

}  // namespace
}  // namespace canbao::extract
