#include "register/upkeep.h"

#include "register/internal/layout.h"
#include "register/internal/search_name.h"

namespace canbao::reg {
namespace {

// name_key, pinyin and initials of persons that were loaded before there were such columns.
Status FillSearchNames(Connection& c) {
  constexpr int kBatch = 20000;
  for (int bucket = 0; bucket < kBuckets; ++bucket) {
    int64_t after = 0;
    for (;;) {
      CANBAO_ASSIGN(Rows rows, c.Exec(fmt::format("SELECT DISTINCT person_key, name FROM "
                                                  "canbao.person_row WHERE bucket = {} AND "
                                                  "person_key > $1 AND name IS NOT NULL AND "
                                                  "name_key IS NULL ORDER BY person_key LIMIT {}",
                                                  bucket, kBatch),
                                      {Param(after)}));
      if (rows.size() == 0) break;
      CANBAO_ASSIGN(Transaction t, Transaction::Begin(c));
      CANBAO_TRY(c.Run(
          "CREATE TEMPORARY TABLE named (person_key bigint, name text, name_key text, pinyin text, "
          "initials text) ON COMMIT DROP"));
      CANBAO_TRY(c.CopyIn("COPY named FROM STDIN (FORMAT binary)"));
      CopyBuffer out;
      out.Header();
      for (int i = 0; i < rows.size(); ++i) {
        SearchName name = SearchNameOf(rows.Text(i, 1));
        out.Row(5);
        out.Int8(rows.Int(i, 0));
        for (const std::string* text : {&name.name, &name.key, &name.pinyin, &name.initials}) {
          out.Bytes(*text);
        }
      }
      out.Trailer();
      CANBAO_TRY(c.CopyPut(out.data(), out.size()));
      CANBAO_TRY(c.CopyEnd());
      CANBAO_TRY(
          c.Run(fmt::format("ANALYZE named; UPDATE canbao.person_row p SET name_key = "
                            "nullif(n.name_key, ''), pinyin = "
                            "nullif(n.pinyin, ''), initials = nullif(n.initials, '') FROM named n "
                            "WHERE p.bucket = {} "
                            "AND p.person_key = n.person_key AND p.name = n.name",
                            bucket)));
      CANBAO_TRY(t.Commit());
      after = rows.Int(rows.size() - 1, 0);
      if (rows.size() < kBatch) break;
      --after;  // of a person with several names, the others may be behind
    }
  }
  return {};
}

}  // namespace

Status DoUpkeep(Connection& c) {
  CANBAO_ASSIGN(Rows there, c.Exec("SELECT to_regclass('canbao.upkeep') IS NOT NULL"));
  if (!there.Bool(0, 0)) return {};
  CANBAO_ASSIGN(Rows work, c.Exec("SELECT FROM canbao.upkeep WHERE name = 'person_search'"));
  if (work.size() == 0) return {};
  // One process does it; others wait and find it done.
  CANBAO_TRY(c.Run("SELECT pg_advisory_lock(1128420942, 4)"));
  CANBAO_TRY(FillSearchNames(c));
  CANBAO_TRY(c.Run("DELETE FROM canbao.upkeep WHERE name = 'person_search'"));
  return c.Run("SELECT pg_advisory_unlock(1128420942, 4)");
}

}  // namespace canbao::reg
