export default {
  title: '人员查询',
}
