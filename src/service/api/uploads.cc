// Uploads: files of many GB in parts, each on the disk before it is answered for, so that a broken
// connection or a dead server costs one part. The database's row is the truth of how far one is;
// bytes behind it are of a part that was never answered, and are written again.
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <list>
#include <memory>
#include <mutex>

#include "base/digest.h"
#include "base/file.h"
#include "service/api/work.h"

namespace canbao::service {
namespace {

namespace json = boost::json;

constexpr int64_t kMaxPart = 8 << 20;
constexpr uint64_t kRoomToLeave = uint64_t{1} << 30;  // for the database, which needs it more

// Digests of uploads as they grow, so that the last part of a large one is answered as fast as the
// first. One whose digest is not at hand (the server was started in between) reads the file again.
// Thread-safe.
class GrowingDigests {
 public:
  // Takes `part`, which begins at `offset` of the file at `path`.
  Status Add(int64_t id, uint64_t offset, std::string_view part, const std::string& path) {
    std::lock_guard lock(mutex_);
    Digest* d = Find(id);
    if (d->at < offset || d->at > offset + part.size()) CANBAO_TRY(CatchUp(d, offset, path));
    part.remove_prefix(d->at - offset);
    d->sha.Update(part);
    d->at += part.size();
    return {};
  }
  Result<std::string> Finish(int64_t id, uint64_t size, const std::string& path) {
    std::lock_guard lock(mutex_);
    Digest* d = Find(id);
    if (d->at != size) CANBAO_TRY(CatchUp(d, size, path));
    std::string hex = d->sha.FinishHex();
    Forget(id);
    return hex;
  }
  void Drop(int64_t id) {
    std::lock_guard lock(mutex_);
    Forget(id);
  }

 private:
  struct Digest {
    int64_t id;
    uint64_t at = 0;
    Sha256 sha;
  };
  static constexpr size_t kKept = 64;

  Digest* Find(int64_t id) {
    for (auto it = digests_.begin(); it != digests_.end(); ++it) {
      if (it->id != id) continue;
      digests_.splice(digests_.begin(), digests_, it);
      return &digests_.front();
    }
    if (digests_.size() >= kKept) digests_.pop_back();
    digests_.emplace_front();
    digests_.front().id = id;
    return &digests_.front();
  }
  void Forget(int64_t id) {
    digests_.remove_if([id](const Digest& d) { return d.id == id; });
  }
  // From the file's beginning to `to`.
  static Status CatchUp(Digest* d, uint64_t to, const std::string& path) {
    if (d->at > to) {
      d->sha = Sha256();
      d->at = 0;
    }
    CANBAO_ASSIGN(Fd fd, OpenForRead(path));
    std::string buffer(size_t{1} << 20, '\0');
    while (d->at < to) {
      const size_t want = std::min<uint64_t>(buffer.size(), to - d->at);
      CANBAO_ASSIGN(size_t n, ReadAt(fd.get(), buffer.data(), want, d->at, path));
      if (n == 0) return Fail(FileError(kCodeCannotRead, path, EIO));
      d->sha.Update(buffer.data(), n);
      d->at += n;
    }
    return {};
  }

  std::mutex mutex_;
  std::list<Digest> digests_;  // the last used first
};

std::string UploadFolder(const Context& c, int64_t id) {
  return c.services().data_dir + "/uploads/" + std::to_string(id);
}

json::object UploadJson(const reg::Upload& u) {
  return {{"id", std::to_string(u.id)},
          {"name", u.name},
          {"size", u.size},
          {"received", u.received},
          {"sha256", u.sha256.empty() ? json::value(nullptr) : json::value(u.sha256)},
          {"state", u.state}};
}

// The last part of what a browser calls the file's name, without what a file system or a terminal
// would take for something else. Empty when nothing is left.
std::string CleanName(std::string_view name) {
  if (size_t slash = name.find_last_of("/\\"); slash != std::string_view::npos)
    name.remove_prefix(slash + 1);
  std::string out;
  for (char c : name) {
    const auto u = static_cast<unsigned char>(c);
    if (u >= 0x20 && u != 0x7F) out += c;
  }
  out.erase(0, out.find_first_not_of(" ."));
  while (!out.empty() && (out.back() == ' ' || out.back() == '.')) out.pop_back();
  return out;
}

tl::expected<reg::Upload, Problem> UploadOfPath(Context& c, bool lock) {
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  CANBAO_ASSIGN(std::optional<reg::Upload> u,
                reg::FindUpload(*db, IdOf(c.request().Param("id")), lock));
  if (!u) return NotFound();
  return *std::move(u);
}

Answer BeginUpload(Context& c) {
  const json::object& body = c.body().as_object();
  reg::Upload u;
  u.name = CleanName(std::string_view(body.at("name").as_string()));
  u.size = body.at("size").to_number<int64_t>();
  if (const json::value* sha = body.if_contains("sha256")) u.sha256 = sha->as_string();
  u.account_id = c.caller().account_id;
  if (u.name.empty()) {
    return Refuse(422, "CB-SERVICE-0430", Msg("文件名不可用", "this is no name for a file"));
  }
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  CANBAO_ASSIGN(int64_t expected, reg::ExpectedBytes(*db));
  struct statvfs room {};
  if (::statvfs(c.services().data_dir.c_str(), &room) == 0) {
    const uint64_t free = static_cast<uint64_t>(room.f_bavail) * room.f_frsize;
    if (static_cast<uint64_t>(u.size) + static_cast<uint64_t>(expected) + kRoomToLeave > free) {
      return Refuse(413, "CB-SERVICE-0431",
                    Msg("服务器磁盘空间不足：还有 {0} MB 可用，其中 {1} MB 留给未完成的上传",
                        "the server's disk has no room: {0} MB are free, of which {1} MB wait for "
                        "uploads that are under way",
                        free >> 20, expected >> 20),
                    Msg("请联系系统管理员清理磁盘，或改用服务器上的文件夹。",
                        "ask the administrator for room, or hand in a folder of the server."));
    }
  }
  CANBAO_ASSIGN(u, reg::AddUpload(*db, u));
  const std::string folder = UploadFolder(c, u.id);
  CANBAO_TRY(MakeFolders(folder, 0700));
  { CANBAO_ASSIGN(Fd made, OpenForWrite(folder + "/data", 0600)); }
  CANBAO_TRY(SyncFolder(folder));
  if (u.size == 0) {
    u.state = "complete";
    CANBAO_TRY(reg::SaveUpload(*db, u));
  }
  c.Record(
      {"upload.begin", {}, {}, json::serialize(json::object{{"upload", u.id}, {"size", u.size}})});
  return Json(UploadJson(u), 201);
}

Answer PutPart(Context& c, GrowingDigests& digests) {
  auto found = UploadOfPath(c, true);
  if (!found) return tl::unexpected<Problem>(found.error());
  reg::Upload& u = *found;
  std::string_view part = c.request().body;
  if (static_cast<int64_t>(part.size()) > kMaxPart) {
    return Refuse(413, "CB-SERVICE-0432", Msg("一次最多上传 8 MiB", "a part has at most 8 MiB"));
  }
  int64_t offset = 0;
  const std::string_view text = c.request().Query("offset");
  if (text != "0") offset = IdOf(text);
  const auto size = static_cast<int64_t>(part.size());
  if ((offset == 0 && text != "0") || offset > u.size || size > u.size - offset) {
    return Refuse(
        422, "CB-SERVICE-0433",
        Msg("这一段超出了文件大小 {0}", "the part lies beyond the file's size {0}", u.size));
  }
  // What has arrived already changes nothing, whatever became of the upload since.
  if (offset + size <= u.received) return Json(UploadJson(u));
  if (u.state != "open" || offset > u.received) {
    return Refuse(
        409, "CB-SERVICE-0434", Msg("应从第 {0} 字节继续", "go on at byte {0}", u.received),
        Msg("先查询已收到的位置，再从那里继续。", "ask how far it is, and go on from there."));
  }
  const std::string path = UploadFolder(c, u.id) + "/data";
  Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.valid()) return tl::unexpected<Problem>(FileError(kCodeCannotOpen, path, errno));
  for (std::string_view rest = part; !rest.empty();) {
    const ssize_t n = ::pwrite(fd.get(), rest.data(), rest.size(),
                               offset + static_cast<int64_t>(part.size() - rest.size()));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == ENOSPC || errno == EDQUOT)) {
      return Refuse(413, "CB-SERVICE-0431",
                    Msg("服务器磁盘空间不足", "the server's disk has no room"),
                    Msg("请联系系统管理员清理磁盘，之后从中断处继续。",
                        "ask the administrator for room, then go on from here."));
    }
    if (n <= 0) return tl::unexpected<Problem>(FileError(kCodeCannotWrite, path, errno));
    rest.remove_prefix(static_cast<size_t>(n));
  }
  CANBAO_TRY(SyncFile(fd.get(), path));
  CANBAO_TRY(digests.Add(u.id, static_cast<uint64_t>(offset), part, path));
  u.received = offset + size;
  if (u.received == u.size) {
    CANBAO_ASSIGN(std::string sha, digests.Finish(u.id, static_cast<uint64_t>(u.size), path));
    u.state = u.sha256.empty() || u.sha256 == sha ? "complete" : "damaged";
    if (u.sha256.empty()) u.sha256 = sha;
  }
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  CANBAO_TRY(reg::SaveUpload(*db, u));
  return Json(UploadJson(u));
}

}  // namespace

void AddUploadHandlers(Handlers& to) {
  auto digests = std::make_shared<GrowingDigests>();
  to.On("beginUpload", BeginUpload);
  to.On("getUpload", [](Context& c) -> Answer {
    auto u = UploadOfPath(c, false);
    if (!u) return tl::unexpected<Problem>(u.error());
    return Json(UploadJson(*u));
  });
  to.On("putPart", [digests](Context& c) { return PutPart(c, *digests); });
  to.On("dropUpload", [digests](Context& c) -> Answer {
    auto u = UploadOfPath(c, true);
    if (!u) return tl::unexpected<Problem>(u.error());
    CANBAO_ASSIGN(reg::Connection * db, c.Db());
    CANBAO_TRY(reg::RemoveUpload(*db, u->id));
    CANBAO_TRY(RemoveTree(UploadFolder(c, u->id)));
    digests->Drop(u->id);
    return NoContent();
  });
}

}  // namespace canbao::service
