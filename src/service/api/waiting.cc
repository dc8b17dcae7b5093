#include "service/api/waiting.h"

#include <boost/json.hpp>
#include <string>

#include "register/waiting.h"
#include "service/api/divisions_known.h"
#include "service/api/work.h"

namespace canbao::service {
namespace {

namespace json = boost::json;

// What the run left to be done: rows for people to decide, and states that no table maps.
struct LeftByRun {
  int64_t review = 0;
  int64_t unmapped = 0;
};

LeftByRun LeftBy(const std::string& facts, const DivisionSpan& place) {
  LeftByRun left;
  boost::system::error_code ec;
  const json::value v = json::parse(facts, ec);
  if (!v.is_object()) return left;
  const json::object& o = v.as_object();
  const uint64_t province = o.at("province").to_number<uint64_t>() * 1000000;
  // The queue is the province's: rows in it belong to nobody yet.
  if (place.Has(province)) left.review = o.at("review").to_number<int64_t>();
  for (const json::value& e : o.at("extracts").as_array()) {
    const auto region = e.at("region").to_number<uint64_t>();
    if (place.Has(region == 0 ? province : region * 1000000)) {
      left.unmapped += e.at("unmapped_states").to_number<int64_t>();
    }
  }
  return left;
}

}  // namespace

Result<json::array> WaitingJson(Context& c, const reg::RunRow& run) {
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  const Caller& caller = c.caller();
  json::array out;
  auto add = [&](const char* key, const Text& label, int64_t count, const char* to) {
    if (count == 0) return;
    out.push_back(
        json::object{{"key", key}, {"label", TextJson(label)}, {"count", count}, {"to", to}});
  };
  if (caller.Can("deliveries.write")) {
    CANBAO_ASSIGN(int64_t deliveries, reg::DeliveriesToDecide(*db));
    add("deliveries", {"待决定的数据交付", "Deliveries to decide"}, deliveries, "/deliveries");
  }
  if (caller.Can("cases.read")) {
    CANBAO_ASSIGN(reg::CasesWaiting cases, reg::CasesWaitingFor(*db, caller.account));
    add("cases_assigned", {"分派给我的案件", "Cases assigned to me"}, cases.assigned,
        "/cases?assignee=me");
    add("cases_overdue", {"已超期的案件", "Cases overdue"}, cases.overdue, "/cases?overdue=true");
    if (caller.Can("cases.approve")) {
      add("cases_to_approve", {"待复核的案件", "Cases to approve"}, cases.to_approve, "/cases");
    }
    add("cases_found", {"尚未处理的案件", "Cases nobody has begun on"}, cases.found,
        "/cases?state=found");
  }
  if (caller.Can("review.read") || caller.Can("deliveries.write")) {
    CANBAO_ASSIGN(std::string facts, reg::RunFacts(*db, run.run_id));
    const LeftByRun left = LeftBy(facts, SpanOf(static_cast<uint64_t>(caller.division)));
    if (caller.Can("review.read")) {
      add("review", {"待人工判定的记录", "Rows to be decided"}, left.review, "/review");
    }
    if (caller.Can("deliveries.write")) {
      add("unmapped_states", {"没有映射的参保状态", "States without a mapping"}, left.unmapped,
          "/deliveries");
    }
  }
  return out;
}

}  // namespace canbao::service
