import { type Clock, PeerError, messageOf } from '../../kernel/index.js'
import type { CheckResult, CheckScope, HealthCheck } from './metrics.js'

const CHECK_LIMIT_MS = 1000

/** What all checks said. */
export interface Verdict {
  readonly ok: boolean
  readonly checks: Readonly<Record<string, CheckResult>>
}

/** Asks every component how it is. */
export class Health {
  readonly #checks = new Map<string, { readonly check: HealthCheck; readonly scope: CheckScope }>()

  constructor(private readonly clock: Clock) {}

  /** Throws ERR_HEALTH_TWICE. */
  add(name: string, check: HealthCheck, scope: CheckScope): () => void {
    if (this.#checks.has(name)) throw new PeerError('ERR_HEALTH_TWICE', `the health check ${name} is there already`)
    const entry = { check, scope }
    this.#checks.set(name, entry)
    return () => {
      if (this.#checks.get(name) === entry) this.#checks.delete(name)
    }
  }

  /** `health`: the checks of that scope; `ready`: all. Never rejects: what goes wrong in a check is its result. */
  async judge(scope: CheckScope): Promise<Verdict> {
    const asked = [...this.#checks].filter(([, entry]) => scope === 'ready' || entry.scope === 'health')
    const results = await Promise.all(asked.map(async ([name, { check }]) => [name, await this.#result(check)] as const))
    results.sort(([a], [b]) => (a < b ? -1 : 1))
    return { ok: results.every(([, { ok }]) => ok), checks: Object.fromEntries(results) }
  }

  async #result(check: HealthCheck): Promise<CheckResult> {
    let cancel = (): void => undefined
    const late = new Promise<CheckResult>((resolve) => {
      cancel = this.clock.setTimer(CHECK_LIMIT_MS, () => resolve({ ok: false, reason: `its check did not answer within ${CHECK_LIMIT_MS} ms` }))
    })
    try {
      return await Promise.race([check(), late])
    } catch (cause) {
      return { ok: false, reason: `its check failed: ${messageOf(cause)}` }
    } finally {
      cancel()
    }
  }
}

/** One line a component, as people read it. */
export function verdictText({ ok, checks }: Verdict): string {
  const lines = Object.entries(checks).map(([name, check]) => `${check.ok ? 'ok' : 'FAILING'} ${name}: ${check.reason}`)
  return `${ok ? 'ok' : 'failing'}\n${lines.map((line) => `${line}\n`).join('')}`
}
