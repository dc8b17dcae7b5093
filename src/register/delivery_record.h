// Deliveries on their way into the register, and the uploads they are made of: who brought them,
// what was found in their files, what was decided (db/migrations, 0005_jobs.sql). The files
// themselves lie in the data folder; this is what is known about them.
//
// Functions over a Connection, whose transaction they join; they belong to its thread. What the
// caller may see is decided by the database. Errors: what connection says.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "register/connection.h"

namespace canbao::reg {

// ---- uploads ----

struct Upload {
  int64_t id = 0;
  std::string name;
  int64_t size = 0;
  int64_t received = 0;
  std::string sha256;  // as stated, later as found; empty = neither
  std::string state;   // open, complete, damaged, used
  int64_t account_id = 0;
};

Result<Upload> AddUpload(Connection& c, const Upload& upload);
// `lock`: until the transaction ends nobody else changes it.
Result<std::optional<Upload>> FindUpload(Connection& c, int64_t id, bool lock = false);
Status SaveUpload(Connection& c, const Upload& upload);
Status RemoveUpload(Connection& c, int64_t id);
// Bytes that open uploads, of anybody, are still waiting for.
Result<int64_t> ExpectedBytes(Connection& c);
// Untouched for so many days, used or not; as owner.
Result<std::vector<int64_t>> AbandonedUploads(Connection& c, int days);

// ---- deliveries ----

struct DeliveryFile {
  std::string file, kind, source, stage;
  int region = 0;  // six digits, 0 = none
  int64_t size = 0;
  std::optional<int64_t> rows;
  std::optional<int64_t> rejected;
  bool profiled = false;
};

struct DeliveryEvent {
  std::string at, by, what, note;
};

struct DeliveryRecord {
  int64_t id = 0;
  std::string name;
  std::string state;  // new, profiling, refused_by_check, profiled, checked, accepted, refused, …
  std::string folder;  // with the manifest; absolute
  int province = 0;    // six digits, 0 = not known yet
  std::string cutoff;  // ISO, empty = not known yet
  std::string created_at;
  int64_t account_id = 0;
  std::string account;
  int64_t division = 0;
  std::string note;
  std::optional<int64_t> job;
  std::string run;
  std::string problem;  // JSON, empty = none
  std::vector<DeliveryFile> files;
  std::vector<DeliveryEvent> history;  // oldest first
};

// Gives it an id; folder and files follow with SaveDelivery().
Result<int64_t> AddDelivery(Connection& c, const DeliveryRecord& d);
Result<std::optional<DeliveryRecord>> FindDelivery(Connection& c, int64_t id, bool lock = false);
// Newest first, with ids below `before` (0 = all); files and history are left out.
Result<std::vector<DeliveryRecord>> ListDeliveries(Connection& c, int64_t before, int limit);
// Everything but files and history.
Status SaveDelivery(Connection& c, const DeliveryRecord& d);
Status SaveDeliveryFiles(Connection& c, int64_t id, const std::vector<DeliveryFile>& files);
Status AddDeliveryEvent(Connection& c, int64_t id, std::string_view by, std::string_view what,
                        std::string_view note = {});
Result<std::vector<DeliveryRecord>> DeliveriesOfRun(Connection& c, const std::string& run);

}  // namespace canbao::reg
