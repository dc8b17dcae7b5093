#include "service/context.h"

namespace canbao::service {

void AddCaseHandlers(Handlers& to) { (void)to; }

}  // namespace canbao::service
