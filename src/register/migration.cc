#include "register/migration.h"

#include "base/digest.h"

namespace canbao::reg {

const std::vector<Migration>& Migrations() {
  static const std::vector<Migration> all = {
#include "register_migrations.inc"
  };
  return all;
}

int NewestSchemaVersion() { return Migrations().back().version; }

Result<int> SchemaVersion(Connection& c) {
  CANBAO_ASSIGN(Rows there, c.Exec("SELECT to_regclass('canbao.schema_version') IS NOT NULL"));
  if (!there.Bool(0, 0)) return 0;
  CANBAO_ASSIGN(Rows v, c.Exec("SELECT coalesce(max(version), 0) FROM canbao.schema_version"));
  return static_cast<int>(v.Int(0, 0));
}

Status Migrate(Connection& c, const std::vector<Migration>& migrations) {
  CANBAO_ASSIGN(Rows version, c.Exec("SHOW server_version_num"));
  if (version.Int(0, 0) < 150000) {
    return Fail(ErrorClass::kEnvironment, "CB-REGISTER-0301",
                Msg("需要 PostgreSQL 15 或更新的版本，服务器是 {0}。",
                    "PostgreSQL 15 or newer is needed, the server is {0}.", version.Int(0, 0)));
  }
  for (const Migration& m : migrations) {
    // One transaction for each, so that an interrupted upgrade stands at a version and goes on.
    CANBAO_ASSIGN(Transaction t, Transaction::Begin(c));
    CANBAO_TRY(c.Run("SELECT pg_advisory_xact_lock(1128420942, 0)"));
    CANBAO_ASSIGN(int have, SchemaVersion(c));
    if (have == 0) {
      CANBAO_TRY(
          c.Run("CREATE SCHEMA IF NOT EXISTS canbao;"
                "CREATE TABLE IF NOT EXISTS canbao.schema_version ("
                "version integer PRIMARY KEY, name text NOT NULL, digest text NOT NULL,"
                "applied_at timestamptz NOT NULL DEFAULT now())"));
    }
    if (have > migrations.back().version) {
      return Fail(ErrorClass::kEnvironment, "CB-REGISTER-0303",
                  Msg("数据库的结构版本是 {0}，本程序只认识到 {1}。",
                      "the database has schema version {0}, this program knows up to {1}.", have,
                      migrations.back().version),
                  Msg("请使用更新版本的 canbao。", "Use a newer canbao."));
    }
    std::string digest = Sha256Hex(m.sql);
    CANBAO_ASSIGN(Rows applied, c.Exec("SELECT digest FROM canbao.schema_version "
                                       "WHERE version = $1",
                                       {Param(static_cast<int32_t>(m.version))}));
    if (applied.size() == 1) {
      if (applied.Text(0, 0) != digest) {
        return Fail(ErrorClass::kEnvironment, "CB-REGISTER-0304",
                    Msg("数据库已执行的迁移 {0} 与本程序中的不同。",
                        "migration {0} was applied to the database with other text than this "
                        "program has.",
                        m.version),
                    Msg("请使用建立该数据库的版本。", "Use the version that made the database."));
      }
      CANBAO_TRY(t.Commit());
      continue;
    }
    if (auto done = c.Run(m.sql); !done) {
      Error e = std::move(done.error());
      e.code = "CB-REGISTER-0302";
      e.message = Msg("迁移 {0}_{1} 失败：{2}", "migration {0}_{1} failed: {2}", m.version, m.name,
                      e.message.Get());
      return Fail(std::move(e));
    }
    CANBAO_TRY(
        c.Exec("INSERT INTO canbao.schema_version (version, name, digest) "
               "VALUES ($1, $2, $3)",
               {Param(static_cast<int32_t>(m.version)), Param(m.name), Param(digest)}));
    CANBAO_TRY(t.Commit());
  }
  return {};
}

}  // namespace canbao::reg
