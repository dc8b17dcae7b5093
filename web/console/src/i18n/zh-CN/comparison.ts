export default {
  title: '数据比对',
}
