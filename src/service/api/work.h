// What the handlers of long work share: jobs, deliveries and their problems as the contract has
// them. Stateless; called on worker threads. Internal to api/.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/text.h"
#include "register/delivery_record.h"
#include "register/job.h"
#include "service/context.h"

namespace canbao::service {

// A number of the path or of a body; 0 when it is none.
int64_t IdOf(std::string_view text);
// What is not there, or must not be seen.
tl::unexpected<Problem> NotFound();

boost::json::value TextJson(const Text& text);
// A Problem of the contract from a kept problem (base/report.h); null when there is none.
boost::json::value KeptProblemJson(const std::string& problem, Lang lang);
boost::json::object JobJson(const reg::Job& job, Lang lang);
// With its last job, where it has one that may be seen.
Result<boost::json::object> DeliveryJson(reg::Connection& db, const reg::DeliveryRecord& d,
                                         Lang lang);

// A refusal with the place in a file where it happened: "name.csv:12:3".
tl::unexpected<Problem> RefusedInput(const Error& error);

// Adds a job of the caller's; for a delivery, also as its last one.
Result<reg::Job> StartJob(Context& c, reg::Connection& db, const std::string& kind,
                          const boost::json::object& argument, std::optional<int64_t> delivery);

// What a delivery's own folder holds: DATA/deliveries-in/<id>.
std::string FolderOf(const Context& c, int64_t delivery);

void AddUploadHandlers(Handlers& to);
void AddDeliveryFileHandlers(Handlers& to);  // profiles, mappings, rejects
void AddExportHandlers(Handlers& to);

}  // namespace canbao::service
