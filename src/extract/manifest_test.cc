#include "extract/manifest.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "extract/errors.h"

namespace canbao::extract {
namespace {

namespace fs = std::filesystem;

const std::string kHead =
    "[delivery]\nprovince = \"330000\"\ncutoff = 2017-09-30\nmade_at = 2017-10-08T09:30:00+08:00\n";
const std::string kExtract =
    "[[extract]]\nfile = \"a.csv\"\nkind = \"death\"\nsource = \"mz-sw\"\nstage = "
    "\"cross_department\"\n";

std::string CodeOf(const std::string& text) {
  auto delivery = ParseManifest(text, "manifest.toml");
  return delivery ? "" : delivery.error().code;
}

TEST(ManifestTest, ReadsEverything) {
  auto delivery = ParseManifest(
      kHead + kExtract +
          "region = \"330100\"\nscheme = \"410\"\nencoding = \"GB18030\"\nscope = \"delta\"\n"
          "rows = 12\nsha256 = \"" +
          std::string(64, 'A') + "\"\n",
      "manifest.toml");
  ASSERT_TRUE(delivery) << delivery.error().ToString();
  EXPECT_EQ(delivery->province, 330000u);
  EXPECT_EQ(delivery->cutoff.yyyymmdd(), 20170930u);
  EXPECT_EQ(delivery->made_at, "2017-10-08T09:30:00+08:00");
  const ExtractSpec& spec = delivery->extracts.at(0);
  EXPECT_EQ(spec.kind, Kind::kDeath);
  EXPECT_EQ(spec.stage, Stage::kCrossDepartment);
  EXPECT_EQ(spec.region, 330100u);
  EXPECT_EQ(spec.scheme, 410);
  EXPECT_EQ(spec.encoding, "gb18030");
  EXPECT_TRUE(spec.delta);
  EXPECT_EQ(spec.rows, 12);
  EXPECT_EQ(spec.sha256, std::string(64, 'a'));
}

TEST(ManifestTest, RefusalsHaveTheirCodes) {
  EXPECT_EQ(CodeOf("[delivery"), kErrManifestBroken);
  EXPECT_EQ(CodeOf(kHead + kExtract + "colour = \"red\"\n"), kErrManifestUnknownKey);
  EXPECT_EQ(CodeOf(kHead + "colour = \"red\"\n" + kExtract), kErrManifestUnknownKey);
  EXPECT_EQ(CodeOf(kHead + kExtract + "[other]\n"), kErrManifestUnknownKey);
  EXPECT_EQ(CodeOf(kExtract), kErrManifestMissingKey);
  EXPECT_EQ(CodeOf("[delivery]\nprovince = \"330000\"\n" + kExtract), kErrManifestMissingKey);
  EXPECT_EQ(CodeOf(kHead + "[[extract]]\nfile = \"a.csv\"\n"), kErrManifestMissingKey);
  EXPECT_EQ(CodeOf(kHead), kErrDeliveryEmpty);
  EXPECT_EQ(CodeOf(kHead + kExtract + kExtract), kErrFileTwice);
  std::string dotted = kExtract;
  dotted.replace(dotted.find("a.csv"), 5, "x/../a.csv");
  EXPECT_EQ(CodeOf(kHead + kExtract + dotted), kErrFileTwice);
  std::string kind = kExtract;
  kind.replace(kind.find("death"), 5, "deaths");
  EXPECT_EQ(CodeOf(kHead + kind), kErrKindUnknown);
  for (const char* bad :
       {"stage = \"sideways\"", "region = \"33\"", "scheme = \"999\"", "encoding = \"big5\"",
        "scope = \"half\"", "rows = -1", "rows = \"many\"", "sha256 = \"abc\""}) {
    std::string text = kExtract;
    if (std::string(bad).starts_with("stage")) text.erase(text.find("stage"));
    EXPECT_EQ(CodeOf(kHead + text + bad + "\n"), kErrManifestBadValue) << bad;
  }
}

TEST(ManifestTest, FilesStayInTheFolder) {
  for (const char* name :
       {"../a.csv", "/etc/passwd", "x/../../a.csv", "..", ".", "a\\\\..\\\\b.csv"}) {
    std::string text = kExtract;
    text.replace(text.find("a.csv"), 5, name);
    EXPECT_EQ(CodeOf(kHead + text), kErrFileOutside) << name;
  }
  std::string text = kExtract;
  text.replace(text.find("a.csv"), 5, "sub/./a.csv");
  EXPECT_EQ(CodeOf(kHead + text), "");
}

TEST(ManifestTest, FolderWithoutManifestOrFile) {
  fs::path folder = fs::temp_directory_path() / ("canbao-manifest-" + std::to_string(::getpid()));
  fs::create_directories(folder);
  auto nothing = LoadDelivery(folder.string());
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, kErrManifestMissing);
  EXPECT_EQ(nothing.error().cls, ErrorClass::kInput);
  std::ofstream(folder / "manifest.toml") << kHead << kExtract;
  auto file = LoadDelivery(folder.string());
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, kErrFileMissing);
  std::ofstream(folder / "a.csv") << "x";
  EXPECT_TRUE(LoadDelivery(folder.string()));
  fs::remove_all(folder);
}

}  // namespace
}  // namespace canbao::extract
