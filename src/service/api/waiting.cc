#include "service/api/waiting.h"

#include <boost/json.hpp>

namespace canbao::service {

Result<boost::json::array> WaitingJson(Context& c) {
  (void)c;
  return boost::json::array{};
}

}  // namespace canbao::service
