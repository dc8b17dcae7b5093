// Runs and accounts of extracts as every reader selects them: columns in this order, the reader's
// own behind them.
#pragma once

#include "register/connection.h"
#include "register/read.h"

namespace canbao::reg {

// FROM canbao.run.
inline constexpr char kRunColumns[] =
    "run_id, name, province, cutoff, made_at, loaded_at, rules, result_digest, persons, "
    "superseded_by IS NULL";
inline constexpr int kRunColumnCount = 10;
RunRow RunOf(const Rows& rows, int i);

// FROM canbao.extract_account a JOIN canbao.extract e USING (extract_id).
inline constexpr char kExtractAccountColumns[] =
    "a.ordinal, a.extract_id, e.file, e.kind, e.source, e.stage, e.sha256, e.region, a.rows_in, "
    "a.linked, a.unlinked, a.rejected, a.reference, a.outcomes";
inline constexpr int kExtractAccountColumnCount = 14;
AccountRow ExtractAccountOf(const Rows& rows, int i);

}  // namespace canbao::reg
