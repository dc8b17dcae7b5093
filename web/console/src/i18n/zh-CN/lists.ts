export default {
  title: '名单',
}
