// All words of the console. Chinese comes first and is in the first view; English is fetched when it is chosen.
// Keys are typed: `t('home.funnel.title')` does not compile when there is no such key, and an English file that
// lacks a key of its Chinese one does not either (Words<>).
import { computed, ref, watchEffect } from 'vue'
import { createI18n } from 'vue-i18n'
import zh from './zh-CN'

export type Locale = 'zh-CN' | 'en'
export type Messages = typeof zh

/** The shape of an area's messages with free text: what an English file must fill. */
export type Words<T> = { [Key in keyof T]: T[Key] extends string ? string : Words<T[Key]> }

type Paths<T> = { [Key in keyof T & string]: T[Key] extends string ? Key : `${Key}.${Paths<T[Key]>}` }[keyof T & string]
export type MessageKey = Paths<Messages>

const kept = 'canbao.locale'
const initial: Locale = localStorage.getItem(kept) === 'en' ? 'en' : 'zh-CN'

export const i18n = createI18n({
  legacy: false,
  locale: 'zh-CN' as Locale,
  fallbackLocale: 'zh-CN',
  messages: { 'zh-CN': zh } as Record<string, Messages | Words<Messages>>,
})

const current = ref<Locale>('zh-CN')
export const locale = computed(() => current.value)

export async function setLocale(next: Locale): Promise<void> {
  if (next === 'en' && !i18n.global.availableLocales.includes('en')) {
    i18n.global.setLocaleMessage('en', (await import('./en')).default)
  }
  current.value = next
  i18n.global.locale.value = next
  localStorage.setItem(kept, next)
}

/** Awaited before the first paint, so that nobody sees the other language flash by. */
export const ready = setLocale(initial)

watchEffect(() => {
  document.documentElement.lang = current.value
})

/** The words of a key; reactive to the language wherever it is read while rendering. */
export function t(key: MessageKey, values: Record<string, string | number> = {}): string {
  return i18n.global.t(key, values)
}

/** The word for a code that comes from the service (a state, a role); the code itself where there is none. */
export function word(prefix: string, code: string | null | undefined): string {
  if (!code) return ''
  const key = `${prefix}.${code}`
  return i18n.global.te(key) || i18n.global.te(key, 'zh-CN') ? i18n.global.t(key) : code
}

/** A text that the service gives in both languages. */
export function text(both: { zh: string; en: string } | null | undefined): string {
  if (!both) return ''
  return current.value === 'en' ? both.en || both.zh : both.zh || both.en
}
