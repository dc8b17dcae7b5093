// Long work as rows: what was asked for, by whom, how far it is, how it ended (db/migrations,
// 0005_jobs.sql). The service's handlers add and read jobs in the caller's scope; the one runner of
// a register claims and ends them as owner.
//
// Functions over a Connection, whose transaction they join; they belong to its thread. Errors: what
// connection says.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "register/connection.h"

namespace canbao::reg {

struct Job {
  int64_t id = 0;
  std::string kind;   // profile, dry_run, comparison, export, undo
  std::string state;  // queued, running, cancelling, cancelled, interrupted, failed, done
  Text phase;
  int64_t done = 0;
  int64_t total = 0;
  std::string unit;
  double rate = 0;  // units a second; 0 = unknown
  std::optional<int64_t> delivery;
  std::string run;
  std::string result_name;  // as the browser saves it; empty = no result
  std::string result_path;
  int64_t result_size = 0;
  std::string problem;   // JSON, as base/report.h writes it; empty = none
  std::string argument;  // JSON: what the command is made of, again after a cancel
  int64_t account_id = 0;
  std::string account;
  int64_t division = 0;
  int pid = 0;
  std::string created_at, started_at, ended_at;  // RFC 3339, UTC
  bool ended() const { return state == "done" || state == "failed" || resumable_stop(); }
  bool resumable_stop() const { return state == "cancelled" || state == "interrupted"; }
};

struct NewJob {
  std::string kind;
  std::string argument;  // JSON
  std::optional<int64_t> delivery;
  int64_t account_id = 0;
  std::string account;
  int64_t division = 0;
};

// ---- in the caller's scope ----
Result<int64_t> AddJob(Connection& c, const NewJob& job);
Result<std::optional<Job>> FindJob(Connection& c, int64_t id);
// Newest first; an empty state is any.
Result<std::vector<Job>> ListJobs(Connection& c, std::string_view state, int limit);

// ---- the runner, as owner ----
Result<std::vector<Job>> QueuedJobs(Connection& c);          // oldest first
Result<std::vector<int64_t>> CancellingJobs(Connection& c);  // somebody asked for their end
Result<std::vector<Job>> UnfinishedJobs(Connection& c);      // running or cancelling
// False when it is not queued any more.
Result<bool> ClaimJob(Connection& c, int64_t id);
Status SetJobProcess(Connection& c, int64_t id, int pid);
Status SetJobProgress(Connection& c, const Job& job);
// State, problem, run and result of `job`.
Status EndJob(Connection& c, const Job& job);
// False when it has ended or its end was asked for already.
Result<bool> CancelJob(Connection& c, int64_t id);
// False unless it was cancelled, interrupted or failed.
Result<bool> ResumeJob(Connection& c, int64_t id);

}  // namespace canbao::reg
