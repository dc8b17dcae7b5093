// Sources that deliver, the files that decide, and the health of the machine: for administrators,
// read-only.
#include <boost/json.hpp>
#include <string>
#include <utility>

#include "base/file.h"
#include "register/figure_read.h"
#include "service/api/divisions_known.h"
#include "service/api/health.h"
#include "service/api/policy_files.h"
#include "service/api/work.h"

namespace canbao::service {
namespace {

namespace json = boost::json;

json::object PolicyColumn(const char* key, Text label, const char* kind) {
  return {{"key", key}, {"label", TextJson(label)}, {"kind", kind}};
}

Answer ListSources(Context& c) {
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  CANBAO_ASSIGN(DivisionsPtr divisions, DivisionsOf(c));
  CANBAO_ASSIGN(auto sources, reg::SourcesSeen(*db));
  json::array rows;
  for (const reg::SourceRow& s : sources) {
    const uint64_t region = uint64_t{s.last.region} * 1000000;
    rows.push_back(json::object{
        {"source", s.last.source},
        {"kind", s.last.kind},
        {"region", s.last.region == 0 ? json::value(nullptr)
                                      : json::value(DivisionName(*divisions, region, s.cutoff))},
        {"stage", s.last.stage},
        {"file", s.last.file},
        {"cutoff", s.cutoff.ToIso()},
        {"rows_in", s.last.rows_in},
        {"linked", s.last.linked},
        {"unlinked", s.last.unlinked},
        {"rejected", s.last.rejected},
        {"loaded_at", s.loaded_at},
        {"runs", s.runs}});
  }
  const auto count = static_cast<int64_t>(rows.size());
  return Json(json::object{
      {"columns", json::array{PolicyColumn("source", {"数据源", "Source"}, "text"),
                              PolicyColumn("kind", {"种类", "Kind"}, "text"),
                              PolicyColumn("region", {"地区", "Region"}, "text"),
                              PolicyColumn("stage", {"比对阶段", "Stage"}, "text"),
                              PolicyColumn("cutoff", {"截止日期", "Cut-off"}, "day"),
                              PolicyColumn("rows_in", {"行数", "Rows"}, "number"),
                              PolicyColumn("linked", {"已关联", "Linked"}, "number"),
                              PolicyColumn("unlinked", {"未关联", "Unlinked"}, "number"),
                              PolicyColumn("rejected", {"拒收", "Rejected"}, "number"),
                              PolicyColumn("file", {"最近文件", "Last file"}, "place"),
                              PolicyColumn("loaded_at", {"入库时间", "Loaded at"}, "text"),
                              PolicyColumn("runs", {"比对次数", "Runs"}, "number")}},
      {"rows", std::move(rows)},
      {"count", count}});
}

Answer ListPolicy(Context& c) {
  CANBAO_ASSIGN(auto files, ListPolicyFiles(c.services().policy_dir));
  json::array items;
  auto text = [](const std::string& s) {
    return s.empty() ? json::value(nullptr) : json::value(s);
  };
  for (const PolicyFile& f : files) {
    items.push_back(json::object{{"id", f.id},
                                 {"kind", f.kind},
                                 {"from", text(f.from)},
                                 {"source", text(f.source)},
                                 {"sha256", f.sha256}});
  }
  return Json(json::object{{"items", std::move(items)}});
}

Answer GetPolicy(Context& c) {
  CANBAO_ASSIGN(auto file,
                FindPolicyFile(c.services().policy_dir, std::string(c.request().Param("id"))));
  if (!file) {
    return Refuse(404, "CB-SERVICE-0206", Text{"没有这个文件。", "there is no such file."},
                  Text{"请从列表中选择。", "Choose one from the list."});
  }
  Response r;
  CANBAO_ASSIGN(r.body, ReadWholeFile(file->path));
  r.With("Content-Type", "text/plain; charset=utf-8");
  r.With("ETag", '"' + file->sha256.substr(0, 32) + '"');
  return r;
}

Answer GetHealth(Context& c) {
  json::array checks;
  for (const HealthCheck& check : CheckHealth(c.services())) {
    checks.push_back(json::object{{"name", TextJson(check.name)},
                                  {"ok", check.ok},
                                  {"detail", check.detail.In(LanguageOf(c.request()))}});
  }
  return Json(json::object{{"version", CANBAO_VERSION},
                           {"started_at", c.services().started_at},
                           {"checks", std::move(checks)}});
}

}  // namespace

void AddPolicyHandlers(Handlers& to) {
  to.On("listSources", ListSources);
  to.On("listPolicy", ListPolicy);
  to.On("getPolicy", GetPolicy);
  to.On("getHealth", GetHealth);
}

}  // namespace canbao::service
