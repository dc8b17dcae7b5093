#include "register/access/roles.h"

#include <toml++/toml.h>
#include <sstream>

#include "base/digest.h"

namespace canbao::reg {
namespace {

tl::unexpected<Error> WrongRoles(Text why) {
  return Fail(Error{ErrorClass::kInternal,
                    "CB-REGISTER-0902",
                    std::move(why),
                    {},
                    "data/access/roles.toml",
                    0,
                    0});
}

std::string TextOf(const toml::table& t, const char* key) { return t[key].value_or(std::string()); }

}  // namespace

std::string_view CompiledRoles() {
  static constexpr std::string_view kRoles =
#include "register_roles.inc"
      ;
  return kRoles;
}

Result<RolePolicy> ParseRoles(std::string_view text) {
  RolePolicy policy;
  toml::table file;
  try {
    file = toml::parse(text);
  } catch (const toml::parse_error& e) {
    return WrongRoles(Msg("角色文件无法解析：{0}", "the roles cannot be parsed: {0}",
                          std::string(e.description())));
  }
  if (auto day = file["valid_from"].value<toml::date>()) {
    std::ostringstream out;
    out << *day;
    policy.valid_from = out.str();
  }
  auto labels = [](const toml::table& t) { return Text{TextOf(t, "zh"), TextOf(t, "en")}; };
  if (const toml::array* all = file["permission"].as_array()) {
    for (const toml::node& node : *all) {
      const toml::table* t = node.as_table();
      if (t == nullptr) continue;
      policy.permissions.push_back(
          {TextOf(*t, "name"), (*t)["personal"].value_or(false), labels(*t)});
    }
  }
  if (const toml::array* all = file["role"].as_array()) {
    for (const toml::node& node : *all) {
      const toml::table* t = node.as_table();
      if (t == nullptr) continue;
      Role role{TextOf(*t, "name"), (*t)["administrator"].value_or(false), labels(*t), {}};
      if (const toml::array* may = (*t)["may"].as_array()) {
        for (const toml::node& p : *may) role.may.push_back(p.value_or(std::string()));
      }
      for (const std::string& p : role.may) {
        bool known = false;
        for (const Permission& x : policy.permissions) known = known || x.name == p;
        if (!known) {
          return WrongRoles(Msg("角色 {0} 的权限 {1} 没有定义。",
                                "role {0} has the permission {1}, which is not defined.", role.name,
                                p));
        }
      }
      policy.roles.push_back(std::move(role));
    }
  }
  if (policy.valid_from.empty() || policy.roles.empty()) {
    return WrongRoles(Msg("缺少生效日期或角色。", "a date or roles are missing."));
  }
  return policy;
}

Status LoadRoles(Connection& c, std::string_view toml) {
  const std::string digest = Sha256Hex(toml);
  CANBAO_ASSIGN(Rows known, c.Exec("SELECT digest FROM canbao.role_policy"));
  if (known.size() == 1 && known.Text(0, 0) == digest) return {};
  CANBAO_ASSIGN(RolePolicy policy, ParseRoles(toml));
  CANBAO_ASSIGN(Transaction t, Transaction::Begin(c));
  CANBAO_TRY(
      c.Run("LOCK TABLE canbao.role_policy IN EXCLUSIVE MODE; "
            "DELETE FROM canbao.role_permission; DELETE FROM canbao.role; "
            "DELETE FROM canbao.permission; DELETE FROM canbao.role_policy"));
  int32_t ordinal = 0;
  for (const Permission& p : policy.permissions) {
    CANBAO_TRY(c.Exec("INSERT INTO canbao.permission VALUES ($1, $2, $3, $4, $5)",
                      {Param(p.name), Param(ordinal++), Param(p.personal), Param(p.label.zh),
                       Param(p.label.en)}));
  }
  ordinal = 0;
  for (const Role& r : policy.roles) {
    CANBAO_TRY(c.Exec("INSERT INTO canbao.role VALUES ($1, $2, $3, $4, $5)",
                      {Param(r.name), Param(ordinal++), Param(r.administrator), Param(r.label.zh),
                       Param(r.label.en)}));
    for (const std::string& p : r.may) {
      CANBAO_TRY(
          c.Exec("INSERT INTO canbao.role_permission VALUES ($1, $2)", {Param(r.name), Param(p)}));
    }
  }
  CANBAO_TRY(
      c.Exec("INSERT INTO canbao.role_policy (digest, valid_from) VALUES ($1, $2::text::date)",
             {Param(digest), Param(policy.valid_from)}));
  return t.Commit();
}

}  // namespace canbao::reg
