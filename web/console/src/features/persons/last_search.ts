// The last search and its (masked) results, so that coming back from a person shows them again. In
// memory only, and only for whom it was made.
import { reactive, watch } from 'vue'
import type { Table } from '@/shared/api/types'
import { user } from '@/shared/session'
import type { By } from './detect'

interface LastSearch {
  typed: string
  way: By | 'auto'
  division: string | undefined
  birth: string | undefined
  table: Table | null
}
const nothing = (): LastSearch => ({ typed: '', way: 'auto', division: undefined, birth: undefined, table: null })

export const lastSearch = reactive<LastSearch>(nothing())

watch(
  () => user.value?.id,
  () => {
    Object.assign(lastSearch, nothing())
  },
)
