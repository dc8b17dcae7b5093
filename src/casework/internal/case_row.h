// The columns of a case that lists and pages share. Of this library only.
#pragma once

#include <string>

#include "casework/store.h"

namespace canbao::casework::internal {

// Of canbao.case AS c and canbao.case_persons(…) AS w.
std::string CaseColumns();
CaseRow RowOf(const reg::Rows& rows, int i, const reg::FieldCipher& cipher, Date today);
inline constexpr int kCaseColumns = 14;

}  // namespace canbao::casework::internal
