#include "service/context.h"

namespace canbao::service {

void AddSessionHandlers(Handlers& to) { (void)to; }

}  // namespace canbao::service
