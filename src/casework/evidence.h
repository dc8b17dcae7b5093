// Files beside a case: DATA/evidence/<sha256 of the clear bytes>, sealed with the register's keys,
// since a scan of an identity card says more than any field. The same file twice lies there once.
//
// Any thread. Refusals (kInput): 0013 a type that is not taken, 0014 too large or empty, 0015 not
// there.
#pragma once

#include <string>
#include <string_view>

#include "casework/policy.h"
#include "casework/store.h"
#include "register/cipher.h"

namespace canbao::casework {

// By the first bytes: "pdf", "png", "jpeg", "zip", "text"; empty for anything else.
std::string_view TypeOfBytes(std::string_view bytes);
std::string ContentTypeOf(std::string_view type);

// Checks and keeps it; name and who are the caller's to fill in.
Result<EvidenceRow> KeepEvidence(const std::string& data_dir, const reg::FieldCipher& cipher,
                                 const Policy& policy, std::string_view bytes);
Result<std::string> ReadEvidence(const std::string& data_dir, const reg::FieldCipher& cipher,
                                 const EvidenceRow& evidence);

}  // namespace canbao::casework
