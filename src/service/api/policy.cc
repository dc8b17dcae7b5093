#include "service/context.h"

namespace canbao::service {

void AddPolicyHandlers(Handlers& to) { (void)to; }

}  // namespace canbao::service
