// Light, dark, or as the system is; kept in this browser. Sets class `dark`, which Element Plus and our tokens read.
import { ref, watch } from 'vue'

export type Theme = 'light' | 'dark' | 'system'
const kept = 'canbao.theme'
const stored = localStorage.getItem(kept)
export const theme = ref<Theme>(stored === 'light' || stored === 'dark' ? stored : 'system')
export const dark = ref(false)

const system = typeof matchMedia === 'function' ? matchMedia('(prefers-color-scheme: dark)') : null

function apply(): void {
  dark.value = theme.value === 'dark' || (theme.value === 'system' && (system?.matches ?? false))
  document.documentElement.classList.toggle('dark', dark.value)
}
watch(
  theme,
  (now) => {
    localStorage.setItem(kept, now)
    apply()
  },
  { immediate: true },
)
system?.addEventListener('change', apply)
