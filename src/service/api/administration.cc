#include "service/context.h"

namespace canbao::service {

void AddAdministrationHandlers(Handlers& to) { (void)to; }

}  // namespace canbao::service
