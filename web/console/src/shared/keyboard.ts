// Keys of the whole console: single keys and sequences ("g p"), never while somebody types.
import { onMounted, onUnmounted } from 'vue'

export type KeyMap = Record<string, () => void>

export function typing(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  return target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName)
}

/** Makes a handler of keydown events out of a map from "x" or "g x" to deeds. */
export function keyHandler(keys: () => KeyMap, now: () => number = Date.now): (event: KeyboardEvent) => void {
  let first = ''
  let at = 0
  return (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return
    const map = keys()
    const sequence = first !== '' && now() - at < 1500 ? `${first} ${event.key}` : event.key
    const deed = map[sequence] ?? map[event.key]
    const begins = Object.keys(map).some((each) => each.startsWith(`${event.key} `))
    first = sequence === event.key && begins ? event.key : ''
    at = now()
    if (!deed || (first !== '' && sequence === event.key && !map[event.key])) return
    event.preventDefault()
    deed()
  }
}

/** Keys that hold while a component is mounted. */
export function useKeys(keys: () => KeyMap): void {
  const handler = keyHandler(keys)
  onMounted(() => window.addEventListener('keydown', handler))
  onUnmounted(() => window.removeEventListener('keydown', handler))
}
