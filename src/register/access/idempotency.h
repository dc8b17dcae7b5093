// Answers that are kept under the key a client gave, so that a request sent again is not done
// again. The key is taken and the answer kept in the transaction of the request itself: both are
// there or neither, and a second request with the key waits for the first one's end.
//
// Everything runs as canbao_app in the caller's session: keys are the account's own (migration
// 0003). Errors: what Connection says.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "register/connection.h"

namespace canbao::reg {

struct KeptAnswer {
  std::string operation;
  std::string digest;  // of the request
  int status = 0;
  std::string headers;  // JSON
  std::string body;
};

// Nothing: the key is the caller's now. Otherwise what was answered under it. Keys are forgotten
// after a day.
Result<std::optional<KeptAnswer>> TakeIdempotencyKey(Connection& c, std::string_view key,
                                                     std::string_view operation,
                                                     std::string_view digest);
Status KeepAnswer(Connection& c, std::string_view key, const KeptAnswer& answer);

}  // namespace canbao::reg
