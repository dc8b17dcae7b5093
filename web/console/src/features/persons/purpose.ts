// Why the caller looks at people: asked for once, kept until the page is closed or somebody else signs
// in. Never in the address, never in lasting storage.
import { ref, watch } from 'vue'
import { user } from '@/shared/session'

export const purpose = ref('')

watch(
  () => user.value?.id,
  () => {
    purpose.value = ''
  },
)
