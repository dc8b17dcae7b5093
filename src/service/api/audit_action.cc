#include "service/api/audit_action.h"

#include <string>

namespace canbao::service {

Text ActionLabel(std::string_view action) {
  struct Entry {
    std::string_view action;
    const char* zh;
    const char* en;
  };
  static constexpr Entry kLabels[] = {
      {"session.open", "登录", "signed in"},
      {"session.close", "退出", "signed out"},
      {"session.end", "结束会话", "ended a session"},
      {"access.refused", "越权请求被拒", "was refused"},
      {"account.add", "新建账号", "made an account"},
      {"account.change", "变更账号", "changed an account"},
      {"account.password", "更改密码", "changed the password"},
      {"account.reset_password", "重置密码", "reset a password"},
      {"account.second_factor", "设置动态验证码", "set up the second factor"},
      {"audit.search", "查询审计", "searched the audit"},
      {"audit.verify", "核验审计", "verified the audit"},
      {"person.search", "查找人员", "searched persons"},
      {"person.read", "查看人员", "looked at a person"},
      {"person.reveal", "查看明文", "revealed clear values"},
      {"person.looks", "查看谁看过", "saw who had looked"},
      {"person.links", "查看关联依据", "saw why rows were linked"},
      {"list.read", "查看名单", "looked at a list"},
      {"form.people", "查看数字背后的人员", "opened the people behind a figure"},
      {"figures.read", "查看汇总数", "looked at figures"},
      {"export.start", "导出", "exported"},
      {"export.download", "下载导出文件", "took an export"},
      {"delivery.make", "新建数据交付", "made a delivery"},
      {"delivery.accept", "接收数据交付", "accepted a delivery"},
      {"delivery.refuse", "退回数据交付", "refused a delivery"},
      {"delivery.undo", "撤销数据交付", "took a delivery back"},
      {"delivery.rejects", "下载拒收行", "took the rejected rows"},
      {"mapping.put", "保存列与代码对照", "saved a mapping"},
      {"filter.save", "保存筛选", "saved a filter"},
      {"filter.delete", "删除筛选", "deleted a filter"},
      {"form.file", "下载报表", "took a form"},
      {"case.list", "查看案件列表", "looked at cases"},
      {"case.read", "查看案件", "looked at a case"},
      {"case.evidence.add", "上传附件", "added evidence"},
      {"case.evidence.read", "下载附件", "took evidence"},
      {"review.list", "查看待复核", "looked at the review queue"},
      {"person.found", "查到此人", "found this person"},
      {"comparison.start", "发起比对", "started a comparison"},
      {"case.step", "办理案件", "worked on a case"},
      {"review.decide", "判定记录归属", "decided whose a row is"},
      {"division.change", "登记区划变更", "recorded a change of divisions"},
  };
  for (const Entry& e : kLabels) {
    if (e.action == action) return Text{e.zh, e.en};
  }
  return Text{std::string(action), std::string(action)};
}

}  // namespace canbao::service
