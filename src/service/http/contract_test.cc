#include "service/http/contract.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <stdexcept>

namespace canbao::service {
namespace {

TEST(Contract, DeclaresThePermissionOfEveryOperation) {
  const auto& operations = Contract::Own().operations();
  EXPECT_GT(operations.size(), 50u);
  std::set<std::string> seen;
  for (const Operation& o : operations) {
    EXPECT_TRUE(seen.insert(o.route.operation).second) << o.route.operation;
    EXPECT_FALSE(o.route.permission.empty()) << o.route.operation;
    // Open to everybody is only signing in.
    EXPECT_EQ(o.route.permission == "public", o.route.operation == "signIn") << o.route.operation;
  }
}

TEST(Contract, DescribesEveryParameterOfItsPaths) {
  for (const Operation& o : Contract::Own().operations()) {
    for (const std::string& segment : o.segments) {
      if (!segment.starts_with('{')) continue;
      const std::string name = segment.substr(1, segment.size() - 2);
      EXPECT_TRUE(std::any_of(o.parameters.begin(), o.parameters.end(), [&](const Parameter& p) {
        return p.name == name && p.in == Parameter::In::kPath;
      })) << o.route.path;
    }
  }
}

TEST(Contract, HasAnOperationForEveryHandler) {
  for (const std::string& operation : AllHandlers().operations())
    EXPECT_NE(Contract::Own().Find(operation), nullptr) << operation;
}

// An operation without a handler is answered by 501.
TEST(Contract, HasAHandlerForEveryOperation) {
  const Handlers handlers = AllHandlers();
  for (const Operation& o : Contract::Own().operations())
    EXPECT_NE(handlers.Find(o.route.operation), nullptr) << o.route.operation;
}

TEST(Contract, KnowsWhatAnOperationTakes) {
  const Operation* step = Contract::Own().Find("stepCase");
  ASSERT_NE(step, nullptr);
  EXPECT_EQ(step->route.method, Method::kPost);
  EXPECT_EQ(step->route.path, "/cases/{id}/steps");
  EXPECT_TRUE(step->takes_idempotency_key);
  EXPECT_TRUE(step->body_is_json && step->body_required && step->body != nullptr);
  const Operation* part = Contract::Own().Find("putPart");
  ASSERT_NE(part, nullptr);
  EXPECT_TRUE(part->has_body && !part->body_is_json);
  EXPECT_EQ(Contract::Own().prefix(), "/api/v1");
}

TEST(Contract, RefusesWhatCannotBeUnderstood) {
  EXPECT_ANY_THROW(Contract("{"));
  EXPECT_ANY_THROW(Contract(R"({"servers": [{"url": "/a"}], "paths": {"/x": {"get":
    {"operationId": "getX"}}}})"));  // no permission
}

}  // namespace
}  // namespace canbao::service
