#include <stdexcept>

#include "service/context.h"

namespace canbao::service {

void Handlers::On(std::string operation, Handler handler) {
  if (!handlers_.emplace(operation, std::move(handler)).second)
    throw std::logic_error("two handlers for " + operation);
}

const Handler* Handlers::Find(std::string_view operation) const {
  auto it = handlers_.find(operation);
  return it == handlers_.end() ? nullptr : &it->second;
}

std::vector<std::string> Handlers::operations() const {
  std::vector<std::string> out;
  for (const auto& [operation, handler] : handlers_) out.push_back(operation);
  return out;
}

Handlers AllHandlers() {
  Handlers all;
  AddSessionHandlers(all);
  AddAdministrationHandlers(all);
  AddFigureHandlers(all);
  AddDivisionHandlers(all);
  AddPolicyHandlers(all);
  AddListHandlers(all);
  AddPersonHandlers(all);
  AddDeliveryHandlers(all);
  AddJobHandlers(all);
  AddCaseHandlers(all);
  return all;
}

}  // namespace canbao::service
