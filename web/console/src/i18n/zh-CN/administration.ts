export default {
  title: '系统管理',
  users: { title: '用户' },
  roles: { title: '角色与权限' },
  sources: { title: '数据来源' },
  policy: { title: '规则与代码' },
  divisions: { title: '区划' },
  audit: { title: '审计' },
  health: { title: '系统状态' },
}
