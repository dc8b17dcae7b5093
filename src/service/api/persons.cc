#include "service/context.h"

namespace canbao::service {

void AddPersonHandlers(Handlers& to) { (void)to; }

}  // namespace canbao::service
