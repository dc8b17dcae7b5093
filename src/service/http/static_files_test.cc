#include "service/http/static_files.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace canbao::service {
namespace {
namespace fs = std::filesystem;

class StaticFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::temp_directory_path() / ("canbao-web-" + std::to_string(::getpid()));
    fs::create_directories(root_ / "web/assets");
    Write("secret.txt", "secret");
    Write("web/index.html", "<html>");
    Write("web/assets/app-1.js", "js");
    Write("web/assets/app-1.js.gz", "gz");
    Write("web/assets/app-1.js.br", "br");
    Write("web/.env", "hidden");
    fs::create_symlink(root_ / "secret.txt", root_ / "web/link.txt");
  }
  void TearDown() override { fs::remove_all(root_); }
  void Write(const char* path, const char* text) { std::ofstream(root_ / path) << text; }

  Response Ask(const char* target, const char* encodings = "") {
    Request r;
    r.headers["accept-encoding"] = encodings;
    return StaticFiles((root_ / "web").string()).Answer(r, *ParseTarget(target));
  }
  static std::string Header(const Response& r, std::string_view name) {
    for (const auto& [key, value] : r.headers) {
      if (key == name) return value;
    }
    return {};
  }
  fs::path root_;
};

TEST_F(StaticFilesTest, ServesFilesAndTheConsolesOwnAddresses) {
  Response r = Ask("/assets/app-1.js");
  EXPECT_EQ(r.body, "js");
  EXPECT_EQ(Header(r, "Content-Type"), "text/javascript; charset=utf-8");
  EXPECT_EQ(Header(r, "Cache-Control"), "public, max-age=31536000, immutable");
  for (const char* path : {"/", "/index.html", "/persons/12", "/lists/uncovered?branch=pension"}) {
    r = Ask(path);
    EXPECT_EQ(r.body, "<html>") << path;
    EXPECT_EQ(Header(r, "Cache-Control"), "no-cache") << path;
    EXPECT_EQ(Header(r, "Content-Type"), "text/html; charset=utf-8") << path;
  }
  EXPECT_EQ(Ask("/assets/gone.js").status, 404);
}

TEST_F(StaticFilesTest, SendsWhatIsCompressedToThoseWhoTakeIt) {
  Response r = Ask("/assets/app-1.js", "gzip, deflate, br");
  EXPECT_EQ(r.body, "br");
  EXPECT_EQ(Header(r, "Content-Encoding"), "br");
  EXPECT_EQ(Header(r, "Content-Type"), "text/javascript; charset=utf-8");
  EXPECT_EQ(Header(r, "Vary"), "Accept-Encoding");
  EXPECT_EQ(Ask("/assets/app-1.js", "gzip").body, "gz");
  EXPECT_EQ(Ask("/assets/app-1.js", "br;q=0, gzip;q=0.5").body, "gz");
  EXPECT_EQ(Ask("/assets/app-1.js", "brotli").body, "js");
}

TEST_F(StaticFilesTest, NeverLeavesItsFolder) {
  for (const char* path :
       {"/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/assets/..%2f..%2fsecret.txt",
        "/assets%2f..%2f..%2fsecret.txt", "/..%5csecret.txt", "/.env", "/link.txt",
        "//../secret.txt", "/./../secret.txt"}) {
    const Response r = Ask(path);
    EXPECT_EQ(r.body.find("secret"), std::string::npos) << path;
    EXPECT_EQ(r.body.find("hidden"), std::string::npos) << path;
    EXPECT_EQ(r.status, 404) << path;
  }
}

TEST_F(StaticFilesTest, HasNothingWithoutAFolder) {
  EXPECT_EQ(StaticFiles("").Answer(Request(), *ParseTarget("/")).status, 404);
  EXPECT_EQ(StaticFiles("/nonexistent").Answer(Request(), *ParseTarget("/")).status, 404);
}

}  // namespace
}  // namespace canbao::service
