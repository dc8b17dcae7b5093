#include "service/api/work.h"

#include <boost/json.hpp>
#include <charconv>
#include <filesystem>

#include "service/jobs/job_outcome.h"

namespace canbao::service {
namespace {

namespace json = boost::json;

json::value OrNull(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}
json::value OrNull(const std::optional<int64_t>& n) {
  return n ? json::value(*n) : json::value(nullptr);
}
json::value IdOrNull(const std::optional<int64_t>& id) {
  return id ? json::value(std::to_string(*id)) : json::value(nullptr);
}

std::string Word(const json::object& o, std::string_view key) {
  const json::value* v = o.if_contains(key);
  return v != nullptr && v->is_string() ? std::string(v->get_string()) : std::string();
}
std::string InLang(const json::object& o, std::string_view key, Lang lang) {
  const json::value* v = o.if_contains(key);
  if (v == nullptr || !v->is_object()) return {};
  return Word(v->get_object(), lang == Lang::kZh ? "zh" : "en");
}
int64_t Number(const json::object& o, std::string_view key) {
  const json::value* v = o.if_contains(key);
  return v == nullptr || !v->is_number() ? 0 : v->to_number<int64_t>();
}

// Where in a file; of its path only the name, which the sender knows.
Text PlaceText(const std::string& file, int64_t line, int64_t column) {
  if (file.empty()) return {};
  Text text{std::filesystem::path(file).filename().string(), {}};
  text.en = text.zh;
  if (line > 0) {
    text.zh += fmt::format("，第 {} 行", line);
    text.en += fmt::format(", line {}", line);
  }
  if (column > 0) {
    text.zh += fmt::format("，第 {} 列", column);
    text.en += fmt::format(", column {}", column);
  }
  return text;
}

Text JobTitle(const std::string& kind) {
  if (kind == "profile") return {"数据剖析", "profile of a delivery"};
  if (kind == "dry_run") return {"试读检查", "dry run of a delivery"};
  if (kind == "comparison") return {"信息比对", "comparison"};
  if (kind == "export") return {"名单导出", "export"};
  return {"撤销入库", "undo of a delivery"};
}

}  // namespace

int64_t IdOf(std::string_view text) {
  int64_t id = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  return error == std::errc() && end == text.data() + text.size() && id > 0 ? id : 0;
}

tl::unexpected<Problem> NotFound() {
  return Refuse(404, "CB-SERVICE-0410", Msg("没有找到", "there is no such thing"),
                Msg("它可能已被删除，或不在您的管辖范围内。",
                    "it may have been removed, or lie outside your division."));
}

json::value TextJson(const Text& text) { return json::object{{"zh", text.zh}, {"en", text.en}}; }

json::value KeptProblemJson(const std::string& problem, Lang lang) {
  if (problem.empty()) return nullptr;
  boost::system::error_code ec;
  json::value parsed = json::parse(problem, ec);
  if (ec || !parsed.is_object()) return nullptr;
  const json::object& p = parsed.get_object();
  json::object out;
  out["type"] = "about:blank";
  out["title"] = InLang(p, "message", lang);
  out["status"] = Number(p, "class") == static_cast<int>(ErrorClass::kInput) ? 422 : 500;
  out["code"] = Word(p, "code");
  const Text place = PlaceText(Word(p, "file"), Number(p, "line"), Number(p, "column"));
  if (!place.zh.empty()) out["detail"] = place.In(lang);
  if (std::string remedy = InLang(p, "remedy", lang); !remedy.empty()) out["remedy"] = remedy;
  return out;
}

json::object JobJson(const reg::Job& j, Lang lang) {
  json::object o;
  o["id"] = std::to_string(j.id);
  o["kind"] = j.kind;
  o["title"] = TextJson(JobTitle(j.kind));
  o["state"] = j.state;
  o["phase"] = j.phase.zh.empty() ? json::value(nullptr) : TextJson(j.phase);
  o["done"] = j.done;
  o["total"] = j.total;
  o["unit"] = j.unit;
  o["rate"] = j.rate > 0 ? json::value(j.rate) : json::value(nullptr);
  const bool known = j.rate > 0 && j.total > j.done;
  o["seconds_left"] =
      known ? json::value(static_cast<double>(j.total - j.done) / j.rate) : json::value(nullptr);
  o["created_at"] = j.created_at;
  o["created_by"] = j.account;
  o["started_at"] = OrNull(j.started_at);
  o["ended_at"] = OrNull(j.ended_at);
  o["delivery"] = IdOrNull(j.delivery);
  o["run"] = OrNull(j.run);
  o["result"] = j.result_name.empty()
                    ? json::value(nullptr)
                    : json::value(json::object{{"name", j.result_name}, {"size", j.result_size}});
  o["problem"] = KeptProblemJson(j.problem, lang);
  return o;
}

Result<json::object> DeliveryJson(reg::Connection& db, const reg::DeliveryRecord& d, Lang lang) {
  json::object o;
  o["id"] = std::to_string(d.id);
  o["name"] = d.name;
  o["state"] = d.state;
  o["province"] = d.province == 0 ? json::value(nullptr) : json::value(std::to_string(d.province));
  o["cutoff"] = OrNull(d.cutoff);
  o["created_at"] = d.created_at;
  o["created_by"] = d.account;
  o["note"] = OrNull(d.note);
  o["job"] = nullptr;
  if (d.job) {
    CANBAO_ASSIGN(std::optional<reg::Job> job, reg::FindJob(db, *d.job));
    if (job) o["job"] = JobJson(*job, lang);
  }
  o["run"] = OrNull(d.run);
  o["problem"] = KeptProblemJson(d.problem, lang);
  json::array files;
  for (const reg::DeliveryFile& f : d.files) {
    files.push_back(json::object{
        {"file", f.file},
        {"kind", f.kind},
        {"source", f.source},
        {"stage", f.stage},
        {"region", f.region == 0 ? json::value(nullptr) : json::value(std::to_string(f.region))},
        {"size", f.size},
        {"rows", OrNull(f.rows)},
        {"rejected", OrNull(f.rejected)},
        {"profiled", f.profiled}});
  }
  o["files"] = std::move(files);
  json::array history;
  for (const reg::DeliveryEvent& e : d.history) {
    json::object event{{"at", e.at}, {"by", e.by}, {"what", e.what}};
    if (!e.note.empty()) event["note"] = e.note;
    history.push_back(std::move(event));
  }
  o["history"] = std::move(history);
  return o;
}

tl::unexpected<Problem> RefusedInput(const Error& error) {
  Problem problem(error);
  const Text place = PlaceText(error.file, error.line, error.column);
  if (!place.zh.empty() && error.cls == ErrorClass::kInput) {
    problem.error.message =
        Text{place.zh + "：" + error.message.zh, place.en + ": " + error.message.en};
    problem.fields.push_back({std::filesystem::path(error.file).filename().string(),
                              fmt::format("{}:{}", error.line, error.column)});
  }
  return tl::unexpected<Problem>(std::move(problem));
}

Result<reg::Job> StartJob(Context& c, reg::Connection& db, const std::string& kind,
                          const json::object& argument, std::optional<int64_t> delivery) {
  reg::NewJob job;
  job.kind = kind;
  job.argument = json::serialize(argument);
  job.delivery = delivery;
  job.account_id = c.caller().account_id;
  job.account = c.caller().account;
  job.division = c.caller().division;
  CANBAO_ASSIGN(int64_t id, reg::AddJob(db, job));
  CANBAO_ASSIGN(std::optional<reg::Job> made, reg::FindJob(db, id));
  if (!made) {
    return Fail(ErrorClass::kInternal, "CB-SERVICE-0411",
                Msg("新任务不可见", "the new job cannot be seen"));
  }
  return *made;
}

std::string FolderOf(const Context& c, int64_t delivery) {
  return DeliveryFolder(c.services(), delivery);
}

}  // namespace canbao::service
