#include <gtest/gtest.h>

#include <stdexcept>

#include "service/context.h"

namespace canbao::service {
namespace {

TEST(Handlers, AreFoundByTheirOperation) {
  Handlers handlers;
  handlers.On("getHome", [](Context&) -> Answer { return NoContent(); });
  EXPECT_NE(handlers.Find("getHome"), nullptr);
  EXPECT_EQ(handlers.Find("getForm"), nullptr);
  EXPECT_EQ(handlers.operations(), std::vector<std::string>{"getHome"});
  EXPECT_THROW(handlers.On("getHome", [](Context&) -> Answer { return NoContent(); }),
               std::logic_error);
}

}  // namespace
}  // namespace canbao::service
