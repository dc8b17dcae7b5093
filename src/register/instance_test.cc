#include "register/instance.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>

#include "register/connection.h"
#include "register/migration.h"
#include "register/test_data_folder.h"

namespace canbao::reg {
namespace {

TEST(InstanceTest, StartsIsSharedAndStopsWithTheLastUser) {
  CANBAO_NEEDS_POSTGRES();
  TestDataFolder folder;
  EXPECT_FALSE(Instance::Exists(folder.path()));
  auto first = Instance::Open(folder.path(), TestDataFolder::Options());
  ASSERT_TRUE(first) << first.error().ToString();
  EXPECT_TRUE(Instance::IsRunning(folder.path()));
  int pid = Instance::PostmasterPid(folder.path());
  {
    auto second = Instance::Open(folder.path(), TestDataFolder::Options());
    ASSERT_TRUE(second) << second.error().ToString();
    EXPECT_EQ(Instance::PostmasterPid(folder.path()), pid);  // adopted
  }
  EXPECT_TRUE(Instance::IsRunning(folder.path()));  // the first still uses it
  auto c = Connection::Open((*first)->ConnInfo());
  ASSERT_TRUE(c) << c.error().ToString();
  auto address = (*c)->Exec(
      "SELECT current_setting('listen_addresses'), "
      "current_setting('wal_level'), current_setting('data_checksums')");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->Text(0, 0), "");
  EXPECT_EQ(address->Text(0, 1), "minimal");
  EXPECT_EQ(address->Text(0, 2), "on");
  struct stat st {};
  ASSERT_EQ(::stat((folder.path() + "/postgres").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0700u);
  first->reset();
  EXPECT_FALSE(Instance::IsRunning(folder.path()));
}

TEST(InstanceTest, KeptUntilStopped) {
  CANBAO_NEEDS_POSTGRES();
  TestDataFolder folder;
  InstanceOptions keep = TestDataFolder::Options();
  keep.keep = true;
  CANBAO_OK(Instance::Open(folder.path(), keep));
  EXPECT_TRUE(Instance::IsRunning(folder.path()));
  CANBAO_OK(Instance::Open(folder.path(), TestDataFolder::Options()));
  EXPECT_TRUE(Instance::IsRunning(folder.path()));
  CANBAO_OK(Instance::Stop(folder.path()));
  EXPECT_FALSE(Instance::IsRunning(folder.path()));
  CANBAO_OK(Instance::Stop(folder.path()));  // again: nothing to do
}

TEST(InstanceTest, ComesBackAfterKill) {
  CANBAO_NEEDS_POSTGRES();
  TestDataFolder folder;
  auto instance = Instance::Open(folder.path(), TestDataFolder::Options());
  ASSERT_TRUE(instance) << instance.error().ToString();
  auto c = Connection::Open((*instance)->ConnInfo());
  ASSERT_TRUE(c);
  CANBAO_OK((*c)->Run("CREATE TABLE public.t AS SELECT generate_series(1, 1000) AS i"));
  int pid = Instance::PostmasterPid(folder.path());
  ASSERT_GT(pid, 1);
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
  CANBAO_OK((*instance)->EnsureRunning());
  EXPECT_NE(Instance::PostmasterPid(folder.path()), pid);
  auto again = Connection::Open((*instance)->ConnInfo());
  ASSERT_TRUE(again) << again.error().ToString();
  auto rows = (*again)->Exec("SELECT count(*) FROM public.t");
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->Int(0, 0), 1000);
}

TEST(InstanceTest, LongPathsAreRefusedEarly) {
  CANBAO_NEEDS_POSTGRES();
  TestDataFolder folder;
  std::string deep = folder.path() + "/" + std::string(90, 'x');
  auto instance = Instance::Open(deep, TestDataFolder::Options());
  ASSERT_FALSE(instance);
  EXPECT_EQ(instance.error().code, "CB-REGISTER-0203");
  EXPECT_FALSE(std::filesystem::exists(deep));
}

TEST(InstanceTest, FoldersThatPostgresCannotEnterAreNamed) {
  CANBAO_NEEDS_POSTGRES();
  if (::geteuid() != 0) GTEST_SKIP() << "only root drops to another user";
  TestDataFolder folder;
  std::string closed = folder.path() + "/closed";
  std::filesystem::create_directory(closed);
  ::chmod(closed.c_str(), 0700);
  std::filesystem::create_directory(closed + "/inner");
  auto instance = Instance::Open(closed + "/inner/data", TestDataFolder::Options());
  ASSERT_FALSE(instance);
  EXPECT_EQ(instance.error().code, "CB-REGISTER-0204");
  EXPECT_NE(instance.error().message.en.find(closed + ","), std::string::npos)
      << instance.error().message.en;
  EXPECT_FALSE(instance.error().remedy.en.empty());
  EXPECT_FALSE(std::filesystem::exists(closed + "/inner/data"));
}

TEST(InstanceTest, MissingProgramsAreNamed) {
  TestDataFolder folder;
  InstanceOptions options;
  options.bin_dir = folder.path();
  auto instance = Instance::Open(folder.path(), options);
  ASSERT_FALSE(instance);
  EXPECT_EQ(instance.error().code, "CB-REGISTER-0201");
}

TEST(MigrationTest, AppliedOnceAndForeignSchemasRefused) {
  CANBAO_NEEDS_POSTGRES();
  TestDataFolder folder;
  auto instance = Instance::Open(folder.path(), TestDataFolder::Options());
  ASSERT_TRUE(instance) << instance.error().ToString();
  auto opened = Connection::Open((*instance)->ConnInfo());
  ASSERT_TRUE(opened);
  Connection& c = **opened;
  EXPECT_EQ(*SchemaVersion(c), 0);
  std::vector<Migration> two = {{1, "a", "CREATE TABLE canbao.a ()"},
                                {2, "b", "CREATE TABLE canbao.b ()"}};
  CANBAO_OK(Migrate(c, {two[0]}));
  EXPECT_EQ(*SchemaVersion(c), 1);
  CANBAO_OK(Migrate(c, two));
  CANBAO_OK(Migrate(c, two));
  EXPECT_EQ(*SchemaVersion(c), 2);

  auto newer = Migrate(c, {two[0]});
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().code, "CB-REGISTER-0303");
  auto changed = two;
  changed[0].sql += " ";
  auto other = Migrate(c, changed);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, "CB-REGISTER-0304");

  // A migration that fails leaves no trace.
  auto three = two;
  three.push_back({3, "c", "CREATE TABLE canbao.c (); SELECT 1/0"});
  auto failed = Migrate(c, three);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, "CB-REGISTER-0302");
  EXPECT_EQ(*SchemaVersion(c), 2);
  auto there = c.Exec("SELECT to_regclass('canbao.c') IS NULL");
  ASSERT_TRUE(there);
  EXPECT_TRUE(there->Bool(0, 0));
}

}  // namespace
}  // namespace canbao::reg
