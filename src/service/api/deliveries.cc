// Deliveries: made of uploads or of a folder of the server, checked, decided, undone.
#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>
#include <set>

#include "base/file.h"
#include "extract/delivery.h"
#include "service/api/work.h"

namespace canbao::service {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr int kFolderDepth = 3;
constexpr size_t kMaxFolders = 500;
constexpr const char* kManifest = "manifest.toml";

std::string StringIn(const json::object& o, std::string_view key) {
  const json::value* v = o.if_contains(key);
  return v != nullptr && v->is_string() ? std::string(v->get_string()) : std::string();
}

tl::expected<reg::DeliveryRecord, Problem> DeliveryOfPath(Context& c, bool lock) {
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  CANBAO_ASSIGN(std::optional<reg::DeliveryRecord> d,
                reg::FindDelivery(*db, IdOf(c.request().Param("id")), lock));
  if (!d) return NotFound();
  return *std::move(d);
}

Answer AnswerWith(Context& c, int64_t id, int status = 200) {
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  CANBAO_ASSIGN(std::optional<reg::DeliveryRecord> d, reg::FindDelivery(*db, id));
  if (!d) return NotFound();
  CANBAO_ASSIGN(json::object o, DeliveryJson(*db, *d, LanguageOf(c.request())));
  return Json(o, status);
}

// ---- folders of the server ----

// The real path of `folder` when it lies below a folder that may be picked from; whatever .. and
// links it is written with.
std::optional<fs::path> WithinRoots(const Services& services, const fs::path& path) {
  std::error_code ec;
  const fs::path real = fs::canonical(path, ec);
  if (ec) return std::nullopt;
  for (const std::string& root : services.delivery_roots) {
    const fs::path real_root = fs::canonical(root, ec);
    if (ec) continue;
    auto [r, p] = std::mismatch(real_root.begin(), real_root.end(), real.begin(), real.end());
    (void)p;
    if (r == real_root.end()) return real;
  }
  return std::nullopt;
}

void CollectFolders(const Services& services, const fs::path& folder, int depth,
                    std::set<std::string>* out) {
  std::error_code ec;
  if (out->size() >= kMaxFolders) return;
  if (fs::is_regular_file(folder / kManifest, ec)) {
    out->insert(folder.string());
    return;
  }
  if (depth == 0) return;
  for (fs::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec)) {
    std::error_code ignored;
    if (it->is_directory(ignored) && !it->is_symlink(ignored)) {
      CollectFolders(services, it->path(), depth - 1, out);
    }
  }
}

Answer ListFolders(Context& c) {
  std::set<std::string> folders;
  for (const std::string& root : c.services().delivery_roots) {
    std::error_code ec;
    const fs::path real = fs::canonical(root, ec);
    if (!ec) CollectFolders(c.services(), real, kFolderDepth, &folders);
  }
  json::array items;
  for (const std::string& folder : folders) {
    json::object item{{"folder", folder}, {"cutoff", nullptr}, {"files", 0}};
    if (auto d = extract::LoadDelivery(folder)) {
      item["cutoff"] = d->cutoff.ToIso();
      item["files"] = d->extracts.size();
    }
    items.push_back(std::move(item));
  }
  return Json(json::object{{"items", std::move(items)}});
}

// ---- a new delivery ----

std::string TomlQuoted(std::string_view text) {
  std::string out = "\"";
  for (char ch : text) {
    if (ch == '"' || ch == '\\') out += '\\';
    if (static_cast<unsigned char>(ch) < 0x20) {
      out += fmt::format("\\u{:04X}", static_cast<unsigned>(ch));
    } else {
      out += ch;
    }
  }
  return out + "\"";
}

// What was said of each upload, as the manifest that the agency did not write.
tl::expected<std::string, Problem> ManifestOf(const json::object& body,
                                              const std::vector<reg::Upload>& uploads) {
  const std::string province = StringIn(body, "province");
  const std::string cutoff = StringIn(body, "cutoff");
  const json::value* files = body.if_contains("files");
  if (province.empty() || cutoff.empty() || files == nullptr) {
    return Refuse(
        422, "CB-SERVICE-0440",
        Msg("没有 manifest.toml，须填写地区、截止日期和每个文件的说明",
            "without a manifest.toml, province, cut-off and what each file is are needed"),
        Msg("补充说明，或连同 manifest.toml 一起上传。",
            "say them, or upload a manifest.toml as well."));
  }
  std::string text = fmt::format("[delivery]\nprovince = {}\ncutoff = {}\n",
                                 TomlQuoted(province.substr(0, 6)), cutoff);
  std::set<int64_t> described;
  for (const json::value& file : files->as_array()) {
    const json::object& f = file.as_object();
    const int64_t id = IdOf(StringIn(f, "upload"));
    auto u = std::find_if(uploads.begin(), uploads.end(),
                          [id](const reg::Upload& x) { return x.id == id; });
    if (u == uploads.end() || !described.insert(id).second) {
      return Refuse(
          422, "CB-SERVICE-0441",
          Msg("文件说明与上传的文件不一致", "what is said of files does not fit the uploads"));
    }
    text += fmt::format("\n[[extract]]\nfile = {}\nkind = {}\nsource = {}\nstage = {}\n",
                        TomlQuoted(u->name), TomlQuoted(StringIn(f, "kind")),
                        TomlQuoted(StringIn(f, "source")), TomlQuoted(StringIn(f, "stage")));
    if (std::string region = StringIn(f, "region"); !region.empty())
      text += fmt::format("region = {}\n", TomlQuoted(region));
    text += fmt::format("sha256 = {}\n", TomlQuoted(u->sha256));
  }
  if (described.size() != uploads.size()) {
    return Refuse(422, "CB-SERVICE-0441",
                  Msg("有的文件没有说明", "some uploads are not said what they are"));
  }
  return text;
}

// The uploads as files of a folder of the delivery's own: links, so that nothing is copied.
tl::expected<void, Problem> PlaceUploads(Context& c, reg::Connection& db, const json::object& body,
                                         const std::string& folder) {
  std::vector<reg::Upload> uploads;
  std::set<std::string> names;
  bool manifest = false;
  for (const json::value& id : body.at("uploads").as_array()) {
    CANBAO_ASSIGN(std::optional<reg::Upload> u, reg::FindUpload(db, IdOf(id.as_string()), true));
    if (!u) return NotFound();
    if (u->state != "complete") {
      return Refuse(
          409, "CB-SERVICE-0442",
          u->state == "used"
              ? Msg("文件“{0}”已用于另一批交付", "\"{0}\" belongs to a delivery already", u->name)
              : Msg("文件“{0}”没有完整上传", "\"{0}\" is not there as a whole", u->name),
          Msg("请重新上传该文件。", "upload it again."));
    }
    if (!names.insert(u->name).second) {
      return Refuse(422, "CB-SERVICE-0443",
                    Msg("两个文件同名：{0}", "two files have one name: {0}", u->name));
    }
    manifest |= u->name == kManifest;
    uploads.push_back(*std::move(u));
  }
  std::string text;
  if (!manifest) {
    auto made = ManifestOf(body, uploads);
    if (!made) return tl::unexpected<Problem>(made.error());
    text = std::move(*made);
  }
  CANBAO_TRY(MakeFolders(folder, 0700));
  for (reg::Upload& u : uploads) {
    const std::string from = fmt::format("{}/uploads/{}/data", c.services().data_dir, u.id);
    const std::string to = folder + "/" + u.name;
    if (::link(from.c_str(), to.c_str()) != 0)
      return tl::unexpected<Problem>(FileError(kCodeCannotWrite, to, errno));
    u.state = "used";
    CANBAO_TRY(reg::SaveUpload(db, u));
  }
  if (!manifest) CANBAO_TRY(WriteFileAtomic(folder + "/" + kManifest, text, 0600));
  CANBAO_TRY(SyncFolder(folder));
  return {};
}

std::vector<reg::DeliveryFile> FilesOf(const extract::Delivery& d) {
  static constexpr const char* kStages[] = {"internal", "cross_department", "cross_city",
                                            "cross_province"};
  std::vector<reg::DeliveryFile> files;
  for (const extract::ExtractSpec& e : d.extracts) {
    reg::DeliveryFile f;
    f.file = e.file;
    f.kind = extract::KindName(e.kind);
    f.source = e.source;
    f.stage = kStages[static_cast<size_t>(e.stage)];
    f.region = static_cast<int>(e.region);
    std::error_code ec;
    const auto size = fs::file_size(e.path, ec);
    f.size = ec ? 0 : static_cast<int64_t>(size);
    files.push_back(std::move(f));
  }
  return files;
}

// A job about the delivery, whose last one it becomes.
tl::expected<void, Problem> BeginJob(Context& c, reg::Connection& db, const std::string& kind,
                                     reg::DeliveryRecord* d) {
  json::object argument{{"folder", d->folder}};
  CANBAO_ASSIGN(reg::Job job, StartJob(c, db, kind, argument, d->id));
  d->job = job.id;
  d->problem.clear();
  if (kind == "profile") d->state = "profiling";
  CANBAO_TRY(reg::SaveDelivery(db, *d));
  return {};
}

Answer FillDelivery(Context& c, reg::Connection& db, const json::object& body,
                    reg::DeliveryRecord* d) {
  if (const std::string picked = StringIn(body, "folder"); !picked.empty()) {
    auto real = WithinRoots(c.services(), picked);
    if (!real) {
      return Refuse(422, "CB-SERVICE-0444",
                    Msg("不能使用这个文件夹", "this folder may not be used"),
                    Msg("请从列出的文件夹中选择。", "pick one of those that are offered."));
    }
    d->folder = real->string();
  } else {
    d->folder = FolderOf(c, d->id) + "/files";
    auto placed = PlaceUploads(c, db, body, d->folder);
    if (!placed) return tl::unexpected<Problem>(placed.error());
  }
  auto loaded = extract::LoadDelivery(d->folder);
  if (!loaded) return RefusedInput(loaded.error());
  for (const extract::ExtractSpec& e : loaded->extracts) {
    const bool own = StringIn(body, "folder").empty();
    if (!own && !WithinRoots(c.services(), e.path)) {
      return Refuse(422, "CB-SERVICE-0444",
                    Msg("文件“{0}”在文件夹之外", "\"{0}\" lies outside the folder", e.file));
    }
  }
  d->province = static_cast<int>(loaded->province);
  d->cutoff = loaded->cutoff.ToIso();
  if (d->name == "-") d->name = fmt::format("{} {}", d->province, d->cutoff);
  CANBAO_TRY(reg::SaveDelivery(db, *d));
  CANBAO_TRY(reg::SaveDeliveryFiles(db, d->id, FilesOf(*loaded)));
  CANBAO_TRY(reg::AddDeliveryEvent(db, d->id, c.caller().account, "made"));
  auto begun = BeginJob(c, db, "profile", d);
  if (!begun) return tl::unexpected<Problem>(begun.error());
  c.Record({"delivery.make", {}, {}, json::serialize(json::object{{"delivery", d->id}})});
  return AnswerWith(c, d->id, 201);
}

Answer MakeDelivery(Context& c) {
  const json::object& body = c.body().as_object();
  const json::value* uploads = body.if_contains("uploads");
  const bool some = uploads != nullptr && !uploads->as_array().empty();
  if (some == !StringIn(body, "folder").empty()) {
    return Refuse(422, "CB-SERVICE-0445",
                  Msg("请选择上传的文件或服务器上的一个文件夹",
                      "either uploads or one folder of the server make a delivery"));
  }
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  reg::DeliveryRecord d;
  d.name = StringIn(body, "name");
  if (d.name.empty()) d.name = "-";
  d.account_id = c.caller().account_id;
  d.account = c.caller().account;
  d.division = c.caller().division;
  d.state = "new";
  CANBAO_ASSIGN(d.id, reg::AddDelivery(*db, d));
  Answer answer = FillDelivery(c, *db, body, &d);
  if (!answer) CANBAO_TRY(RemoveTree(FolderOf(c, d.id)));
  return answer;
}

// ---- what there is, and what is decided ----

Answer ListTheDeliveries(Context& c) {
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  const int64_t asked = IdOf(c.request().Query("limit"));
  const int limit = asked == 0 ? 50 : static_cast<int>(asked);
  CANBAO_ASSIGN(std::vector<reg::DeliveryRecord> found,
                reg::ListDeliveries(*db, IdOf(c.request().Query("after")), limit + 1));
  json::value next = nullptr;
  if (found.size() > static_cast<size_t>(limit)) {
    found.resize(static_cast<size_t>(limit));
    next = std::to_string(found.back().id);
  }
  json::array items;
  for (const reg::DeliveryRecord& d : found) {
    CANBAO_ASSIGN(json::object o, DeliveryJson(*db, d, LanguageOf(c.request())));
    items.push_back(std::move(o));
  }
  return Json(json::object{{"items", std::move(items)}, {"next", next}});
}

tl::unexpected<Problem> NotNow(const reg::DeliveryRecord& d, const Text& remedy) {
  return Refuse(409, "CB-SERVICE-0446",
                Msg("交付目前的状态（{0}）不允许这样做",
                    "the delivery's state ({0}) does not allow that", d.state),
                remedy);
}

Answer DryRun(Context& c) {
  auto d = DeliveryOfPath(c, true);
  if (!d) return tl::unexpected<Problem>(d.error());
  if (d->state != "profiled" && d->state != "checked" && d->state != "refused_by_check") {
    return NotNow(*d, Msg("请等待剖析完成。", "wait for its profile."));
  }
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  auto begun = BeginJob(c, *db, "dry_run", &*d);
  if (!begun) return tl::unexpected<Problem>(begun.error());
  CANBAO_ASSIGN(std::optional<reg::Job> job, reg::FindJob(*db, *d->job));
  if (!job) return NotFound();
  return Json(JobJson(*job, LanguageOf(c.request())), 202);
}

// The run that the delivery went into is withdrawn, with whatever else went into it.
Answer Undo(Context& c, reg::Connection& db, reg::DeliveryRecord* d) {
  if (d->state != "loaded") {
    return NotNow(*d, Msg("只有已入库的交付可以撤销。", "only what was loaded can be undone."));
  }
  if (!c.caller().Can("comparisons.write") ||
      (c.caller().division != 0 && c.caller().division != int64_t{d->province} * 1000000)) {
    return Refuse(403, "CB-SERVICE-0421",
                  Msg("撤销影响整个登记库，须由主管该省级单位的账号进行",
                      "an undo changes the whole register: an account of its province does it"));
  }
  CANBAO_ASSIGN(std::vector<reg::DeliveryRecord> all, reg::DeliveriesOfRun(db, d->run));
  json::array ids;
  for (const reg::DeliveryRecord& other : all) ids.push_back(other.id);
  CANBAO_ASSIGN(reg::Job job,
                StartJob(c, db, "undo", {{"run", d->run}, {"deliveries", std::move(ids)}}, d->id));
  d->job = job.id;
  return Response{};
}

Answer Decide(Context& c) {
  auto d = DeliveryOfPath(c, true);
  if (!d) return tl::unexpected<Problem>(d.error());
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  const json::object& body = c.body().as_object();
  const std::string decision = StringIn(body, "decision");
  const std::string note = StringIn(body, "note");
  std::string event;
  if (decision == "accept") {
    if (d->state != "checked" && d->state != "undone" && d->state != "refused") {
      return NotNow(*d, Msg("先完成试读检查，再接收。", "run the dry run first, then accept."));
    }
    d->state = "accepted";
    event = "accepted";
  } else if (decision == "refuse") {
    if (d->state == "loaded" || d->state == "refused" || d->state == "profiling") {
      return NotNow(*d, Msg("已入库的交付须先撤销。", "what was loaded has to be undone first."));
    }
    d->state = "refused";
    event = "refused";
  } else {
    Answer undo = Undo(c, *db, &*d);
    if (!undo) return undo;
    event = "undo_started";
  }
  if (!note.empty()) d->note = note;
  CANBAO_TRY(reg::SaveDelivery(*db, *d));
  CANBAO_TRY(reg::AddDeliveryEvent(*db, d->id, c.caller().account, event, note));
  c.Record({"delivery." + decision, {}, {}, json::serialize(json::object{{"delivery", d->id}})});
  return AnswerWith(c, d->id);
}

}  // namespace

void AddDeliveryHandlers(Handlers& to) {
  AddUploadHandlers(to);
  AddDeliveryFileHandlers(to);
  to.On("listDeliveries", ListTheDeliveries);
  to.On("makeDelivery", MakeDelivery);
  to.On("listFolders", ListFolders);
  to.On("getDelivery", [](Context& c) { return AnswerWith(c, IdOf(c.request().Param("id"))); });
  to.On("dryRun", DryRun);
  to.On("decideDelivery", Decide);
}

}  // namespace canbao::service
