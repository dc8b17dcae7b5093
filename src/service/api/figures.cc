#include "service/context.h"

namespace canbao::service {

void AddFigureHandlers(Handlers& to) { (void)to; }

}  // namespace canbao::service
