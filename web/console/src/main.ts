import { createApp } from 'vue'
import App from './App.vue'
import { i18n, ready } from './i18n'
import { router } from './router'
import './shared/theme'
import 'element-plus/theme-chalk/base.css'
import 'element-plus/theme-chalk/dark/css-vars.css'
import './shared/styles/tokens.css'
import './shared/styles/base.css'
import './shared/styles/print.css'

await ready
createApp(App).use(i18n).use(router).mount('#app')
