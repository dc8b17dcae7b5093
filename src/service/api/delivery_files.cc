// What is known of a delivery's files: profiles, the mapping of their columns and codes, rejects.
#include <boost/json.hpp>
#include <fstream>
#include <mutex>

#include "base/file.h"
#include "extract/delivery.h"
#include "extract/mapping/own_mapping.h"
#include "service/api/work.h"

namespace canbao::service {
namespace {

namespace json = boost::json;

constexpr uint64_t kMaxProfile = uint64_t{64} << 20;

struct FileOfDelivery {
  reg::DeliveryRecord delivery;
  size_t file = 0;
};

tl::expected<FileOfDelivery, Problem> FileOfPath(Context& c, bool lock) {
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  CANBAO_ASSIGN(std::optional<reg::DeliveryRecord> d,
                reg::FindDelivery(*db, IdOf(c.request().Param("id")), lock));
  if (!d) return NotFound();
  const std::string_view text = c.request().Param("file");
  const auto file = static_cast<size_t>(IdOf(text));  // 0 also for "0"
  if ((file == 0 && text != "0") || file >= d->files.size()) return NotFound();
  return FileOfDelivery{*std::move(d), file};
}

Answer GetProfile(Context& c) {
  auto of = FileOfPath(c, false);
  if (!of) return tl::unexpected<Problem>(of.error());
  const std::string path = FolderOf(c, of->delivery.id) + "/profile.json";
  if (!FileExists(path)) {
    return Refuse(404, "CB-SERVICE-0450", Msg("还没有剖析结果", "there is no profile yet"),
                  Msg("请等待剖析任务完成。", "wait for the end of its job."));
  }
  CANBAO_ASSIGN(std::string text, ReadWholeFile(path, kMaxProfile));
  json::value profiles = json::parse(text);
  return Json(profiles.as_array().at(of->file));
}

Answer PutMapping(Context& c, std::mutex& writing) {
  auto of = FileOfPath(c, true);
  if (!of) return tl::unexpected<Problem>(of.error());
  reg::DeliveryRecord& d = of->delivery;
  if (d.state != "profiled" && d.state != "refused_by_check" && d.state != "checked") {
    return Refuse(409, "CB-SERVICE-0446",
                  Msg("交付目前的状态（{0}）不允许这样做",
                      "the delivery's state ({0}) does not allow that", d.state));
  }
  const json::object& body = c.body().as_object();
  const reg::DeliveryFile& file = d.files[of->file];
  extract::OwnMapping m;
  m.source = file.source;
  bool known = false;
  m.kind = extract::KindFromName(file.kind, &known);
  for (const auto& [header, field] : body.at("columns").as_object()) {
    if (!field.as_string().empty()) m.columns[header] = field.as_string();
  }
  if (const json::value* codes = body.if_contains("codes")) {
    for (const auto& [field, values] : codes->as_object()) {
      for (const auto& [code, meaning] : values.as_object()) {
        m.codes[field][code] = meaning.as_string();
      }
    }
  }
  {
    std::lock_guard lock(writing);
    if (Status s =
            extract::AddOwnMapping(c.services().policy_dir, c.services().data_dir + "/mappings", m);
        !s) {
      return tl::unexpected<Problem>(s.error());
    }
  }
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  CANBAO_ASSIGN(reg::Job job, StartJob(c, *db, "profile", {{"folder", d.folder}}, d.id));
  d.job = job.id;
  d.state = "profiling";
  d.problem.clear();
  CANBAO_TRY(reg::SaveDelivery(*db, d));
  CANBAO_TRY(reg::AddDeliveryEvent(*db, d.id, c.caller().account, "mapped", file.source));
  c.Record({"mapping.put",
            {},
            {},
            json::serialize(json::object{{"delivery", d.id}, {"source", file.source}})});
  CANBAO_ASSIGN(json::object o, DeliveryJson(*db, d, LanguageOf(c.request())));
  return Json(o);
}

json::object Column(const char* key, const char* zh, const char* en, const char* kind) {
  return {{"key", key}, {"label", json::object{{"zh", zh}, {"en", en}}}, {"kind", kind}};
}

tl::expected<reg::DeliveryRecord, Problem> Checked(Context& c) {
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  CANBAO_ASSIGN(std::optional<reg::DeliveryRecord> d,
                reg::FindDelivery(*db, IdOf(c.request().Param("id"))));
  if (!d) return NotFound();
  return *std::move(d);
}

tl::unexpected<Problem> NotChecked() {
  return Refuse(404, "CB-SERVICE-0451", Msg("还没有试读检查", "there was no dry run yet"),
                Msg("先做试读检查。", "run one first."));
}

Answer GetRejects(Context& c) {
  auto d = Checked(c);
  if (!d) return tl::unexpected<Problem>(d.error());
  const std::string path = FolderOf(c, d->id) + "/check/rejects.jsonl";
  if (!FileExists(path)) return NotChecked();
  const int64_t asked = IdOf(c.request().Query("limit"));
  const int64_t limit = asked == 0 ? 50 : asked;
  const int64_t from = IdOf(c.request().Query("after"));
  const Lang lang = LanguageOf(c.request());
  std::ifstream in(path);
  std::string line;
  json::array rows;
  int64_t at = 0;
  for (; std::getline(in, line); ++at) {
    if (at < from || at >= from + limit) continue;
    const json::value value = json::parse(line);
    const json::object& r = value.as_object();
    rows.push_back(json::object{{"file", r.at("file")},
                                {"line", r.at("line")},
                                {"column", r.at("column")},
                                {"field", r.at("field")},
                                {"reason", r.at(lang == Lang::kZh ? "zh" : "en")},
                                {"value", r.at("value")}});
  }
  json::object table;
  table["columns"] = json::array{
      Column("file", "文件", "file", "text"),     Column("line", "行", "line", "text"),
      Column("column", "列", "column", "number"), Column("field", "字段", "field", "text"),
      Column("reason", "原因", "reason", "text"), Column("value", "原值", "value", "masked")};
  table["rows"] = std::move(rows);
  table["count"] = at;
  table["first"] = from + 1;
  table["next"] =
      from + limit < at ? json::value(std::to_string(from + limit)) : json::value(nullptr);
  table["previous"] = nullptr;
  return Json(table);
}

Answer GetRejectsFile(Context& c) {
  // As delivered, in clear: for those who hand files back to their source.
  if (!c.caller().Can("deliveries.write")) {
    return Refuse(403, "CB-SERVICE-0452",
                  Msg("拒收记录的原文只供处理交付的人员下载",
                      "rejected rows as delivered are for those who handle deliveries"));
  }
  auto d = Checked(c);
  if (!d) return tl::unexpected<Problem>(d.error());
  const std::string path = FolderOf(c, d->id) + "/check/rejects.xlsx";
  if (!FileExists(path)) return NotChecked();
  c.Record({"delivery.rejects", {}, {}, json::serialize(json::object{{"delivery", d->id}})});
  return Download(
      path,
      fmt::format("{} {}.xlsx", d->name, Text{"拒收记录", "rejects"}.In(LanguageOf(c.request()))),
      "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
}

}  // namespace

void AddDeliveryFileHandlers(Handlers& to) {
  auto writing = std::make_shared<std::mutex>();
  to.On("getProfile", GetProfile);
  to.On("putMapping", [writing](Context& c) { return PutMapping(c, *writing); });
  to.On("getDeliveryRejects", GetRejects);
  to.On("getRejectsFile", GetRejectsFile);
}

}  // namespace canbao::service
