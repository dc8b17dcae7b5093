#include "register/doctor.h"

#include <sys/stat.h>

#include <filesystem>

#include "register/migration.h"
#include "register/read.h"

namespace canbao::reg {
namespace {

class Doctor {
 public:
  Doctor(const std::string& data_dir, const DoctorOptions& options)
      : data_dir_(data_dir), options_(options) {}

  std::vector<DoctorFinding> Examine() {
    Disk();
    Keys();
    if (options_.database.url.empty()) {
      Text subject{"数据库环境", "database environment"};
      auto environment = Instance::CheckEnvironment(data_dir_, options_.database.instance);
      if (!environment) {
        Bad(subject, environment.error());
        return std::move(findings_);
      }
      Good(subject, Msg("PostgreSQL 15，{0}/postgres", "PostgreSQL 15, {0}/postgres", data_dir_));
      if (!Instance::Exists(data_dir_)) {
        Add(Health::kWarning, "CB-REGISTER-0801", {"数据库实例", "database instance"},
            {"还没有建立。", "there is none yet."},
            {"第一次 canbao compare 会建立它。", "The first `canbao compare` makes it."});
        return std::move(findings_);
      }
    }
    DatabaseOptions database = options_.database;
    database.migrate = false;
    Text subject{"数据库实例", "database instance"};
    auto db = Database::Open(data_dir_, database);
    if (!db) {
      Bad(subject, db.error());
      return std::move(findings_);
    }
    Good(subject, {"可连接，密钥相符。", "answers, and the keys belong to it."});
    auto c = (*db)->Connect("canbao doctor");
    if (!c) {
      Bad(subject, c.error());
      return std::move(findings_);
    }
    if (Schema(**c)) {
      Accounts(**c);
      Leftovers(**c);
      Figures(**db, **c);
    }
    return std::move(findings_);
  }

 private:
  void Add(Health health, std::string code, Text subject, Text message, Text remedy = {}) {
    findings_.push_back(
        {health, std::move(code), std::move(subject), std::move(message), std::move(remedy)});
  }
  void Good(Text subject, Text message) {
    Add(Health::kGood, "", std::move(subject), std::move(message));
  }
  void Bad(Text subject, const Error& e) {
    Add(Health::kBad, e.code, std::move(subject), e.message, e.remedy);
  }

  void Disk() {
    std::error_code ec;
    std::filesystem::path p = data_dir_;
    while (!std::filesystem::exists(p, ec) && p.has_parent_path() && p != p.parent_path()) {
      p = p.parent_path();
    }
    if (p.empty()) p = ".";
    auto space = std::filesystem::space(p, ec);
    Text subject{"磁盘空间", "disk space"};
    uint64_t gb = ec ? 0 : space.available >> 30;
    if (!ec && space.available >= options_.free_bytes_wanted) {
      Good(subject, Msg("可用 {0} GB", "{0} GB free", gb));
    } else {
      Add(Health::kWarning, "CB-REGISTER-0802", subject, Msg("只剩 {0} GB。", "{0} GB left.", gb),
          {"请释放空间：装载大约需要数据文件大小的两倍。",
           "Free space: a load needs about twice the size of the files."});
    }
  }

  void Keys() {
    Text subject{"密钥", "keys"};
    std::string dir = data_dir_ + "/keys";
    struct stat st {};
    if (::stat((dir + "/field.key").c_str(), &st) != 0) {
      if (options_.database.url.empty() && !Instance::Exists(data_dir_)) return;  // nothing sealed
      Add(Health::kBad, "CB-REGISTER-0402", subject,
          Msg("缺少 {0}/field.key。", "{0}/field.key is missing.", dir),
          {"请从备份恢复密钥文件。", "Restore the key files from a backup."});
      return;
    }
    bool good = true;
    std::error_code ec;
    for (const auto& entry : std::filesystem::directory_iterator(dir, ec)) {
      if (::stat(entry.path().c_str(), &st) != 0 || !S_ISREG(st.st_mode) ||
          (st.st_mode & 077) == 0) {
        continue;
      }
      good = false;
      Add(Health::kBad, "CB-REGISTER-0403", subject,
          Msg("{0} 可被他人读取。", "others may read {0}.", entry.path().string()),
          Msg("请执行 chmod 600 {0}。", "Run chmod 600 {0}.", entry.path().string()));
    }
    auto cipher = FieldCipher::Open(dir, false);
    if (!cipher) {
      if (good || cipher.error().code != "CB-REGISTER-0403") Bad(subject, cipher.error());
    } else if (good) {
      Good(subject, {"齐全，权限正确。", "complete, with the right modes."});
    }
  }

  bool Schema(Connection& c) {
    Text subject{"数据库结构", "schema"};
    auto version = SchemaVersion(c);
    if (!version) {
      Bad(subject, version.error());
      return false;
    }
    if (*version != NewestSchemaVersion()) {
      Add(*version > NewestSchemaVersion() ? Health::kBad : Health::kWarning, "CB-REGISTER-0303",
          subject,
          Msg("版本 {0}，本程序为 {1}。", "version {0}, this program's is {1}.", *version,
              NewestSchemaVersion()),
          {"版本较旧时，下一次 canbao compare 会升级。",
           "An older one is upgraded by the next `canbao compare`."});
      return *version > 0;
    }
    Good(subject, Msg("版本 {0}", "version {0}", *version));
    return true;
  }

  void Accounts(Connection& c) {
    Text subject{"行数账", "accounts of rows"};
    auto rows = c.Exec(
        "SELECT count(*), count(*) FILTER (WHERE rows_in <> linked + unlinked + "
        "rejected + reference) FROM canbao.extract_account");
    if (!rows) return Bad(subject, rows.error());
    if (rows->Int(0, 1) > 0) {
      Add(Health::kBad, "CB-REGISTER-0803", subject,
          Msg("{0} 个文件的行数不平衡。", "{0} extracts do not balance.", rows->Int(0, 1)),
          {"请重新比对并装载。", "Compare and load again."});
    } else {
      Good(subject, Msg("{0} 个文件全部平衡。", "all {0} extracts balance.", rows->Int(0, 0)));
    }
  }

  void Leftovers(Connection& c) {
    auto rows = c.Exec("SELECT to_regnamespace('canbao_load') IS NOT NULL");
    if (rows && rows->Bool(0, 0)) {
      Add(Health::kWarning, "CB-REGISTER-0804", {"装载", "load"},
          {"有一次装载正在进行，或被中断。", "a load is running, or was interrupted."},
          {"中断的装载可重新运行；登记库本身没有变化。",
           "Run an interrupted one again; the register itself is unchanged."});
    }
  }

  void Figures(Database& db, Connection& c) {
    auto cutoffs = Cutoffs(db);
    Text subject{"报表数字", "figures"};
    if (!cutoffs) return Bad(subject, cutoffs.error());
    for (Date cutoff : *cutoffs) {
      Text at = Msg("{0} 的报表数字", "figures of {0}", cutoff.ToIso());
      std::string day = "'" + cutoff.ToIso() + "'::date";
      auto persons = c.Exec(fmt::format(
          "SELECT (SELECT count(*) FROM canbao.classification WHERE cutoff = {0}), "
          "(SELECT count(*) FROM canbao.person WHERE valid_from <= {0} AND valid_to > {0}), "
          "(SELECT persons FROM canbao.run WHERE cutoff = {0} AND superseded_by IS NULL)",
          day));
      if (!persons) return Bad(at, persons.error());
      if (persons->Int(0, 0) != persons->Int(0, 1) || persons->Int(0, 0) != persons->Int(0, 2)) {
        Add(Health::kBad, "CB-REGISTER-0805", at,
            Msg("分类 {0} 人、人员 {1} 人、运行 {2} 人，不一致。",
                "{0} classified, {1} persons, {2} in the run's manifest.", persons->Int(0, 0),
                persons->Int(0, 1), persons->Int(0, 2)),
            {"请重新比对并装载。", "Compare and load again."});
        continue;
      }
      if (!options_.recount) continue;
      auto stored = FiguresAt(db, cutoff);
      auto counted = RecountFigures(db, cutoff);
      if (!stored) return Bad(at, stored.error());
      if (!counted) return Bad(at, counted.error());
      if (*stored == *counted) {
        Good(at, Msg("{0} 个数字与 {1} 人的分类一致。",
                     "{0} figures agree with the classification of {1} persons.", stored->size(),
                     persons->Int(0, 0)));
      } else {
        Add(Health::kBad, "CB-REGISTER-0806", at,
            {"与人员分类重新计数的结果不一致。",
             "a new count of the persons' classification gives others."},
            {"请重新比对并装载。", "Compare and load again."});
      }
    }
  }

  const std::string& data_dir_;
  const DoctorOptions& options_;
  std::vector<DoctorFinding> findings_;
};

}  // namespace

std::vector<DoctorFinding> Examine(const std::string& data_dir, const DoctorOptions& options) {
  return Doctor(data_dir, options).Examine();
}

}  // namespace canbao::reg
