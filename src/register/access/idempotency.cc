#include "register/access/idempotency.h"

namespace canbao::reg {

Result<std::optional<KeptAnswer>> TakeIdempotencyKey(Connection& c, std::string_view key,
                                                     std::string_view operation,
                                                     std::string_view digest) {
  CANBAO_TRY(
      c.Exec("DELETE FROM canbao.idempotency_key WHERE made_at < now() - interval '24 hours'"));
  CANBAO_ASSIGN(Rows taken, c.Exec("INSERT INTO canbao.idempotency_key (key, operation, digest) "
                                   "VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING 1",
                                   {Param(key), Param(operation), Param(digest)}));
  if (taken.size() == 1) return std::optional<KeptAnswer>();
  CANBAO_ASSIGN(Rows known, c.Exec("SELECT operation, digest, status, headers, body "
                                   "FROM canbao.idempotency_key WHERE key = $1",
                                   {Param(key)}));
  if (known.size() == 0) {
    return Fail(ErrorClass::kInternal, "CB-REGISTER-0107",
                Msg("幂等键未能登记", "the idempotency key could not be taken"));
  }
  KeptAnswer answer;
  answer.operation = known.Text(0, 0);
  answer.digest = known.Text(0, 1);
  answer.status = static_cast<int>(known.Int(0, 2));
  answer.headers = known.Text(0, 3);
  answer.body = known.Text(0, 4);
  return std::optional(std::move(answer));
}

Status KeepAnswer(Connection& c, std::string_view key, const KeptAnswer& answer) {
  CANBAO_TRY(
      c.Exec("UPDATE canbao.idempotency_key SET status = $2, headers = $3::text::jsonb, body = $4 "
             "WHERE key = $1",
             {Param(key), Param(static_cast<int32_t>(answer.status)), Param(answer.headers),
              Param(answer.body)}));
  return {};
}

}  // namespace canbao::reg
