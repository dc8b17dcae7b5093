#include "service/context.h"

namespace canbao::service {

void AddJobHandlers(Handlers& to) { (void)to; }

}  // namespace canbao::service
