import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'

const GRAFANA = join(import.meta.dirname, '../../examples/grafana')
const Dashboard = z.object({
  title: z.string().min(1),
  uid: z.string().min(1),
  schemaVersion: z.literal(39),
  panels: z.array(
    z.object({
      id: z.number().int(),
      title: z.string().min(1),
      type: z.enum(['stat', 'timeseries']),
      datasource: z.object({ type: z.literal('prometheus'), uid: z.literal('${datasource}') }),
      gridPos: z.object({ x: z.number().int().min(0), y: z.number().int().min(0), w: z.number().int().min(1), h: z.number().int().min(1) }),
      fieldConfig: z.object({ defaults: z.object({ unit: z.string() }), overrides: z.array(z.unknown()) }),
      targets: z.array(z.object({ refId: z.string(), expr: z.string(), legendFormat: z.string() })).min(1),
    }),
  ),
  templating: z.object({ list: z.array(z.object({ name: z.string(), type: z.string() })) }),
})

/** What a query asks of one metric: `peer_x{kind=~"a|b"}`. */
export interface Selector {
  readonly metric: string
  readonly matchers: readonly { readonly label: string; readonly operator: string; readonly value: string }[]
}

/** The dashboard of the examples. Throws if it is not one of the version that it names. */
export function exampleDashboard() {
  return Dashboard.parse(JSON.parse(readFileSync(join(GRAFANA, 'weft-peer.json'), 'utf8')))
}

export function exampleAlerts(): string {
  return readFileSync(join(GRAFANA, 'alerts.yaml'), 'utf8')
}

export function selectorsOf(query: string): readonly Selector[] {
  return [...query.matchAll(/\b(peer_[a-z0-9_]+)(?:\{([^}]*)\})?/g)].map(([, metric = '', inside = '']) => ({
    metric,
    matchers: [...inside.matchAll(/(\w+)(=~|!~|!=|=)"([^"]*)"/g)].map(([, label = '', operator = '', value = '']) => ({ label, operator, value })),
  }))
}

/** Labels that a query keeps of what it reads, where it says so. */
export function groupedBy(query: string): readonly string[] | undefined {
  const found = [...query.matchAll(/\bby \(([^)]*)\)/g)]
  return found.length === 0 ? undefined : found.flatMap(([, names = '']) => names.split(',').map((name) => name.trim()))
}

/** Whether a sample is one that a selector could read: it has the labels, and the values that are asked for. `instance` is Prometheus' own. */
export function matches({ matchers }: Selector, labels: Readonly<Record<string, string>>): boolean {
  return matchers.every(({ label, operator, value }) => {
    const found = labels[label]
    if (label === 'instance') return true
    if (found === undefined || operator.startsWith('!')) return found !== undefined
    return operator.includes('~') ? new RegExp(`^(?:${value})$`).test(found) : found === value
  })
}
