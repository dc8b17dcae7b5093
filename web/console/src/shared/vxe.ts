// vxe-table as this console uses it: its own words in our language, its colours from our tokens.
import { VxeUI } from 'vxe-table'
import zhCN from 'vxe-table/es/locale/lang/zh-CN'
import { watch } from 'vue'
import { locale } from '@/i18n'
import 'vxe-table/es/style.css'
import './styles/vxe.css'
import { dark } from './theme'

VxeUI.setI18n('zh-CN', zhCN)
watch(
  locale,
  async (now) => {
    if (now === 'en') VxeUI.setI18n('en-US', (await import('vxe-table/es/locale/lang/en-US')).default)
    VxeUI.setLanguage(now === 'en' ? 'en-US' : 'zh-CN')
  },
  { immediate: true },
)
watch(dark, (now) => VxeUI.setTheme(now ? 'dark' : 'light'), { immediate: true })
