#include "register/delivery_record.h"

namespace canbao::reg {
namespace {

Param TextOrNull(std::string_view text) { return text.empty() ? Param(nullptr) : Param(text); }
Param NumberOrNull(int n) { return n == 0 ? Param(nullptr) : Param(n); }
Param MaybeNumber(const std::optional<int64_t>& n) { return n ? Param(*n) : Param(nullptr); }

std::optional<int64_t> MaybeInt(const Rows& rows, int i, int column) {
  return rows.IsNull(i, column) ? std::nullopt : std::optional<int64_t>(rows.Int(i, column));
}

constexpr const char* kUploadColumns =
    "SELECT upload_id, name, size, received, sha256, state, account_id FROM canbao.upload ";

constexpr const char* kDeliveryColumns =
    "SELECT delivery_id, name, state, folder, province, cutoff, canbao.moment(created_at), "
    "account_id, account, division, note, job_id, run, problem FROM canbao.delivery ";

Upload UploadOf(const Rows& rows, int i) {
  Upload u;
  u.id = rows.Int(i, 0);
  u.name = rows.Text(i, 1);
  u.size = rows.Int(i, 2);
  u.received = rows.Int(i, 3);
  u.sha256 = rows.Text(i, 4);
  u.state = rows.Text(i, 5);
  u.account_id = rows.Int(i, 6);
  return u;
}

DeliveryRecord DeliveryOf(const Rows& rows, int i) {
  DeliveryRecord d;
  d.id = rows.Int(i, 0);
  d.name = rows.Text(i, 1);
  d.state = rows.Text(i, 2);
  d.folder = rows.Text(i, 3);
  d.province = static_cast<int>(rows.Int(i, 4));
  d.cutoff = rows.Text(i, 5);
  d.created_at = rows.Text(i, 6);
  d.account_id = rows.Int(i, 7);
  d.account = rows.Text(i, 8);
  d.division = rows.Int(i, 9);
  d.note = rows.Text(i, 10);
  d.job = MaybeInt(rows, i, 11);
  d.run = rows.Text(i, 12);
  d.problem = rows.Text(i, 13);
  return d;
}

Status ReadParts(Connection& c, DeliveryRecord* d) {
  CANBAO_ASSIGN(Rows files,
                c.Exec("SELECT file, kind, source, stage, region, size, rows, rejected, "
                       "profiled FROM canbao.delivery_file WHERE delivery_id = $1 "
                       "ORDER BY ordinal",
                       {Param(d->id)}));
  for (int i = 0; i < files.size(); ++i) {
    DeliveryFile f;
    f.file = files.Text(i, 0);
    f.kind = files.Text(i, 1);
    f.source = files.Text(i, 2);
    f.stage = files.Text(i, 3);
    f.region = static_cast<int>(files.Int(i, 4));
    f.size = files.Int(i, 5);
    f.rows = MaybeInt(files, i, 6);
    f.rejected = MaybeInt(files, i, 7);
    f.profiled = files.Bool(i, 8);
    d->files.push_back(std::move(f));
  }
  CANBAO_ASSIGN(Rows events,
                c.Exec("SELECT canbao.moment(at), account, what, note FROM canbao.delivery_event "
                       "WHERE delivery_id = $1 ORDER BY event_id",
                       {Param(d->id)}));
  for (int i = 0; i < events.size(); ++i) {
    d->history.push_back({std::string(events.Text(i, 0)), std::string(events.Text(i, 1)),
                          std::string(events.Text(i, 2)), std::string(events.Text(i, 3))});
  }
  return {};
}

}  // namespace

Result<Upload> AddUpload(Connection& c, const Upload& u) {
  CANBAO_ASSIGN(Rows rows,
                c.Exec("INSERT INTO canbao.upload (name, size, sha256, account_id) "
                       "VALUES ($1, $2, $3, $4) RETURNING upload_id",
                       {Param(u.name), Param(u.size), TextOrNull(u.sha256), Param(u.account_id)}));
  Upload made = u;
  made.id = rows.Int(0, 0);
  made.state = "open";
  return made;
}

Result<std::optional<Upload>> FindUpload(Connection& c, int64_t id, bool lock) {
  CANBAO_ASSIGN(Rows rows, c.Exec(std::string(kUploadColumns) + "WHERE upload_id = $1" +
                                      (lock ? " FOR UPDATE" : ""),
                                  {Param(id)}));
  if (rows.size() == 0) return std::optional<Upload>();
  return std::optional<Upload>(UploadOf(rows, 0));
}

Status SaveUpload(Connection& c, const Upload& u) {
  CANBAO_TRY(
      c.Exec("UPDATE canbao.upload SET received = $2, sha256 = $3, state = $4, "
             "changed_at = now() WHERE upload_id = $1",
             {Param(u.id), Param(u.received), TextOrNull(u.sha256), Param(u.state)}));
  return {};
}

Status RemoveUpload(Connection& c, int64_t id) {
  CANBAO_TRY(c.Exec("DELETE FROM canbao.upload WHERE upload_id = $1", {Param(id)}));
  return {};
}

Result<int64_t> ExpectedBytes(Connection& c) {
  CANBAO_ASSIGN(Rows rows, c.Exec("SELECT canbao.expected_upload_bytes()"));
  return rows.Int(0, 0);
}

Result<std::vector<int64_t>> AbandonedUploads(Connection& c, int days) {
  CANBAO_ASSIGN(Rows rows, c.Exec("SELECT upload_id FROM canbao.upload WHERE "
                                  "changed_at < now() - make_interval(days => $1)",
                                  {Param(days)}));
  std::vector<int64_t> out;
  for (int i = 0; i < rows.size(); ++i) out.push_back(rows.Int(i, 0));
  return out;
}

Result<int64_t> AddDelivery(Connection& c, const DeliveryRecord& d) {
  CANBAO_ASSIGN(Rows rows,
                c.Exec("INSERT INTO canbao.delivery (name, folder, account_id, account, division) "
                       "VALUES ($1, $2, $3, $4, $5) RETURNING delivery_id",
                       {Param(d.name), Param(d.folder), Param(d.account_id), Param(d.account),
                        Param(d.division)}));
  return rows.Int(0, 0);
}

Result<std::optional<DeliveryRecord>> FindDelivery(Connection& c, int64_t id, bool lock) {
  CANBAO_ASSIGN(Rows rows, c.Exec(std::string(kDeliveryColumns) + "WHERE delivery_id = $1" +
                                      (lock ? " FOR UPDATE" : ""),
                                  {Param(id)}));
  if (rows.size() == 0) return std::optional<DeliveryRecord>();
  DeliveryRecord d = DeliveryOf(rows, 0);
  CANBAO_TRY(ReadParts(c, &d));
  return std::optional<DeliveryRecord>(std::move(d));
}

Result<std::vector<DeliveryRecord>> ListDeliveries(Connection& c, int64_t before, int limit) {
  CANBAO_ASSIGN(Rows rows,
                c.Exec(std::string(kDeliveryColumns) + "WHERE $1 = 0 OR delivery_id < $1 "
                                                       "ORDER BY delivery_id DESC LIMIT $2",
                       {Param(before), Param(limit)}));
  std::vector<DeliveryRecord> out;
  for (int i = 0; i < rows.size(); ++i) out.push_back(DeliveryOf(rows, i));
  return out;
}

Status SaveDelivery(Connection& c, const DeliveryRecord& d) {
  CANBAO_TRY(
      c.Exec("UPDATE canbao.delivery SET name = $2, state = $3, folder = $4, province = $5, "
             "cutoff = $6::text::date, note = $7, job_id = $8, run = $9, "
             "problem = $10::text::jsonb WHERE delivery_id = $1",
             {Param(d.id), Param(d.name), Param(d.state), Param(d.folder), NumberOrNull(d.province),
              TextOrNull(d.cutoff), TextOrNull(d.note), MaybeNumber(d.job), TextOrNull(d.run),
              TextOrNull(d.problem)}));
  return {};
}

Status SaveDeliveryFiles(Connection& c, int64_t id, const std::vector<DeliveryFile>& files) {
  CANBAO_TRY(c.Exec("DELETE FROM canbao.delivery_file WHERE delivery_id = $1", {Param(id)}));
  int ordinal = 0;
  for (const DeliveryFile& f : files) {
    CANBAO_TRY(
        c.Exec("INSERT INTO canbao.delivery_file (delivery_id, ordinal, file, kind, source, "
               "stage, region, size, rows, rejected, profiled) "
               "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
               {Param(id), Param(ordinal++), Param(f.file), Param(f.kind), Param(f.source),
                Param(f.stage), NumberOrNull(f.region), Param(f.size), MaybeNumber(f.rows),
                MaybeNumber(f.rejected), Param(f.profiled)}));
  }
  return {};
}

Status AddDeliveryEvent(Connection& c, int64_t id, std::string_view by, std::string_view what,
                        std::string_view note) {
  CANBAO_TRY(
      c.Exec("INSERT INTO canbao.delivery_event (delivery_id, account, what, note) "
             "VALUES ($1, $2, $3, $4)",
             {Param(id), Param(by), Param(what), Param(note)}));
  return {};
}

Result<std::vector<DeliveryRecord>> DeliveriesOfRun(Connection& c, const std::string& run) {
  CANBAO_ASSIGN(Rows rows, c.Exec(std::string(kDeliveryColumns) +
                                      "WHERE run = $1 AND state = 'loaded' ORDER BY delivery_id",
                                  {Param(run)}));
  std::vector<DeliveryRecord> out;
  for (int i = 0; i < rows.size(); ++i) out.push_back(DeliveryOf(rows, i));
  return out;
}

}  // namespace canbao::reg
