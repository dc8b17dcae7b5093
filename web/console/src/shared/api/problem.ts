// What went wrong, as the service says it (problem+json), and as people read it.
import { ElMessage } from 'element-plus'
import { t } from '@/i18n'
import type { components } from './schema.gen'

export type Problem = components['schemas']['Problem']

export class ProblemError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.title || problem.code)
  }
  get code(): string {
    return this.problem.code
  }
  get status(): number {
    return this.problem.status
  }
  static unreachable(): ProblemError {
    return new ProblemError({ type: 'about:blank', title: '', status: 0, code: 'UNREACHABLE' })
  }
}

/** One sentence, and what to do where the service says it. */
export function describe(error: unknown): { title: string; detail: string; remedy: string; code: string } {
  if (!(error instanceof ProblemError)) return { title: t('common.error.unexpected'), detail: '', remedy: '', code: '' }
  const { problem } = error
  const fallback =
    problem.status === 0 ? t('common.error.unreachable')
    : problem.status === 401 ? t('common.error.signedOut')
    : problem.status === 403 ? t('common.error.forbidden')
    : problem.status === 404 ? t('common.error.notFound')
    : problem.status === 412 || problem.status === 409 ? t('common.error.changedMeanwhile')
    : problem.status === 429 ? t('common.error.tooMany')
    : t('common.error.unexpected')
  const fields = (problem.fields ?? []).map((each) => `${each.field ?? ''} ${each.detail ?? ''}`.trim()).join('; ')
  return {
    title: problem.title || fallback,
    detail: [problem.detail, fields].filter(Boolean).join(' '),
    remedy: problem.remedy ?? '',
    code: problem.status === 0 ? '' : problem.code,
  }
}

/** For deeds whose failure has no place on the page: a message that goes away. */
export function showProblem(error: unknown): void {
  const { title, detail, remedy, code } = describe(error)
  ElMessage({ type: 'error', duration: 8000, showClose: true, message: [title, detail, remedy, code && `(${code})`].filter(Boolean).join(' ') })
}

export function showDone(message: string): void {
  ElMessage({ type: 'success', message })
}
