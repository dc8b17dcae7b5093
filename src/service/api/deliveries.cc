#include "service/context.h"

namespace canbao::service {

void AddDeliveryHandlers(Handlers& to) { (void)to; }

}  // namespace canbao::service
