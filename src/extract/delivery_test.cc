// The samples of the contract, read whole: the accounts of every extract must be those that the
// independent program that made them says. Skipped where the samples are not at hand.
#include "extract/delivery.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>

namespace canbao::extract {
namespace {

namespace fs = std::filesystem;

std::string SamplesFolder() {
  if (const char* folder = std::getenv("CANBAO_SAMPLES")) return folder;
  fs::path beside = fs::path(CANBAO_SOURCE_DIR) / ".." / "shared" / "samples";
  return fs::exists(beside) ? beside.string() : "";
}

// Keeps what the accounts need, and a line per row to compare runs by.
class Collector : public RowSink {
 public:
  Status OnBatch(int, const RowBatch& batch) override {
    std::lock_guard lock(mu_);
    for (const Row& row : batch.rows) {
      std::ostringstream out;
      out << row.line << '|' << int{row.sheet} << '|' << row.findings << '|' << row.id_number << '|'
          << row.number.number.v << '|' << row.name << '|' << row.name_code.v << '|' << row.birth.v
          << '|' << row.scheme << '|' << int(row.state) << '|' << row.region << '|'
          << row.division.v << '|' << row.enrolled_on.v << '|' << row.from.v << '|' << row.until.v
          << '|' << row.uscc << '|' << row.address << '|' << row.phone << '|' << row.detail;
      lines_[{batch.extract, row.sheet, row.line}] = out.str();
    }
    for (const Reject& reject : batch.rejects) {
      ++rejects_[batch.extract][std::string(RejectCode(reject.reason))];
      std::ostringstream out;
      out << "reject " << RejectCode(reject.reason) << '|' << reject.column << '|' << reject.field
          << '|' << reject.text;
      lines_[{batch.extract, reject.sheet, reject.line}] = out.str();
    }
    return {};
  }

  std::map<std::tuple<uint32_t, int, uint64_t>, std::string> lines_;
  std::map<uint32_t, std::map<std::string, uint64_t>> rejects_;

 private:
  std::mutex mu_;
};

struct Reading {
  Delivery delivery;
  std::vector<ExtractAccount> accounts;
  Collector rows;
};

void ReadAll(const std::string& folder, ReadOptions options, Reading* out) {
  auto delivery = LoadDelivery(folder);
  ASSERT_TRUE(delivery) << delivery.error().ToString();
  out->delivery = std::move(*delivery);
  std::vector<size_t> indices;
  for (size_t i = 0; i < out->delivery.extracts.size(); ++i) indices.push_back(i);
  options.today = Date::FromYmd(2017, 10, 8);
  auto accounts =
      ReadExtracts(out->delivery, indices, CANBAO_SOURCE_DIR "/data", &out->rows, options);
  ASSERT_TRUE(accounts) << accounts.error().ToString();
  out->accounts = std::move(*accounts);
}

class SampleTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    folder_ = SamplesFolder();
    if (folder_.empty()) GTEST_SKIP() << "no samples (CANBAO_SAMPLES)";
    folder_ += std::string("/") + GetParam();
  }
  std::string folder_;
};

TEST_P(SampleTest, AccountsAreThoseOfTheTruth) {
  Reading reading;
  ASSERT_NO_FATAL_FAILURE(ReadAll(folder_, {}, &reading));
  std::ifstream in(folder_ + "/truth/expected.json");
  std::stringstream text;
  text << in.rdbuf();
  boost::json::value truth = boost::json::parse(text.str());
  const auto& extracts = truth.at("comparison").at("extracts").as_object();
  ASSERT_EQ(extracts.size(), reading.accounts.size());
  uint64_t unmapped = 0;
  for (size_t i = 0; i < reading.accounts.size(); ++i) {
    const ExtractSpec& spec = reading.delivery.extracts[i];
    const ExtractAccount& account = reading.accounts[i];
    const auto& expected = extracts.at(spec.file);
    SCOPED_TRACE(spec.file);
    EXPECT_EQ(account.rows_in, expected.at("rows").to_number<uint64_t>());
    EXPECT_EQ(account.rows_in, account.accepted + account.rejected);
    EXPECT_EQ(account.sha256, spec.sha256);
    std::map<std::string, uint64_t> rejected;
    for (const auto& [kind, count] : expected.at("rejected").as_object()) {
      rejected[kind] = count.to_number<uint64_t>();
    }
    EXPECT_EQ(reading.rows.rejects_[static_cast<uint32_t>(i)], rejected);
    unmapped += account.unmapped_states;
  }
  EXPECT_EQ(unmapped, truth.at("unmapped_state_rows").to_number<uint64_t>());
}

TEST_P(SampleTest, ThreadsAndBlocksChangeNothing) {
  Reading one;
  ReadOptions options;
  options.threads = 1;
  ASSERT_NO_FATAL_FAILURE(ReadAll(folder_, options, &one));
  for (auto [threads, block] : {std::pair<int, size_t>{4, 4096}, {3, 100003}}) {
    Reading other;
    options.threads = threads;
    options.block_bytes = block;
    ASSERT_NO_FATAL_FAILURE(ReadAll(folder_, options, &other));
    ASSERT_EQ(one.rows.lines_.size(), other.rows.lines_.size());
    EXPECT_TRUE(one.rows.lines_ == other.rows.lines_);
  }
}

INSTANTIATE_TEST_SUITE_P(Samples, SampleTest, testing::Values("small-clean", "small-realistic"),
                         [](const auto& info) {
                           std::string name = info.param;
                           name.erase(std::remove(name.begin(), name.end(), '-'), name.end());
                           return name;
                         });

}  // namespace
}  // namespace canbao::extract
