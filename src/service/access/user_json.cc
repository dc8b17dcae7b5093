#include "service/access/user_json.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <mutex>

#include "identity/division.h"

namespace canbao::service {
namespace json = boost::json;
namespace {

json::array StringArray(const std::vector<std::string>& values) {
  json::array out;
  for (const std::string& v : values) out.emplace_back(v);
  return out;
}

json::value StringOrNull(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

// Read once for the process; null when the tables are missing.
const identity::DivisionTable* AccountDivisions(const std::string& policy_dir) {
  static std::mutex mutex;
  static std::unique_ptr<const identity::DivisionTable> table;
  std::lock_guard lock(mutex);
  if (table == nullptr) {
    auto loaded = identity::DivisionTable::Load(policy_dir);
    if (loaded) table = std::make_unique<const identity::DivisionTable>(std::move(*loaded));
  }
  return table.get();
}

}  // namespace

std::string DivisionText(int64_t division) {
  if (division == 0) return "00";
  std::string twelve = fmt::format("{:012}", division);
  for (size_t digits : {2U, 4U, 6U, 9U}) {
    if (twelve.find_first_not_of('0', digits) == std::string::npos) return twelve.substr(0, digits);
  }
  return twelve;
}

int64_t DivisionOfText(std::string_view digits) {
  return static_cast<int64_t>(identity::ParseDivision(digits).v);
}

std::string DivisionName(const Services& services, int64_t division) {
  if (division == 0) return "全国";
  const identity::DivisionTable* table = AccountDivisions(services.policy_dir);
  std::string name;
  if (table != nullptr) {
    name = table->FullNameOf(identity::Division{static_cast<uint64_t>(division)}, Date());
  }
  return name.empty() ? DivisionText(division) : name;
}

json::object UserJson(const Services& services, const reg::UserAccount& a) {
  return {{"id", std::to_string(a.account_id)},
          {"account", a.account},
          {"name", a.name},
          {"roles", StringArray(a.roles)},
          {"division", DivisionText(a.division)},
          {"division_name", DivisionName(services, a.division)},
          {"disabled", a.disabled},
          {"waiting", a.waiting},
          {"locked", a.locked},
          {"totp", a.has_totp},
          {"last_signed_in_at", StringOrNull(a.last_signed_in_at)}};
}

json::object SessionJson(const Services& services, const reg::SessionInfo& s) {
  json::array must;
  if (s.must_change_password) must.emplace_back("change_password");
  if (s.must_set_up_totp()) must.emplace_back("set_up_totp");
  reg::UserAccount account;
  account.account_id = s.account_id;
  account.account = s.account;
  account.name = s.name;
  account.roles = s.roles;
  account.division = s.division;
  account.has_totp = s.has_totp;
  account.last_signed_in_at = s.last_signed_in_at;
  return {{"user", UserJson(services, account)},
          {"csrf_token", s.csrf},
          {"expires_at", s.expires_at},
          {"permissions", StringArray(s.permissions)},
          {"must", std::move(must)}};
}

Problem AccessProblem(Error error) {
  const std::string& code = error.code;
  int status = 422;
  if (error.cls != ErrorClass::kInput) return Problem(std::move(error));
  if (code == "CB-REGISTER-0910" || code == "CB-REGISTER-0912") status = 401;
  if (code == "CB-REGISTER-0911" || code == "CB-REGISTER-0930" || code == "CB-REGISTER-0934") {
    status = 403;
  }
  if (code == "CB-REGISTER-0931") status = 409;
  if (code == "CB-REGISTER-0933") status = 404;
  if (code == "CB-REGISTER-1004") status = 400;
  return Problem(status, std::move(error));
}

}  // namespace canbao::service
