export default {
  title: '数据交付',
}
