#include "service/context.h"

namespace canbao::service {

void AddListHandlers(Handlers& to) { (void)to; }

}  // namespace canbao::service
