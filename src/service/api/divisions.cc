#include "service/context.h"

namespace canbao::service {

void AddDivisionHandlers(Handlers& to) { (void)to; }

}  // namespace canbao::service
