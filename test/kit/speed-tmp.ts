import { playScenario, planScenario } from './index.js'
import { pbft } from '../../plugins/pbft/index.js'
const ledger = process.argv[2] as 'real' | 'logical'
const seeds = Number(process.argv[3] ?? 20)
const warm = Number(process.argv[4] ?? 3)
const requests = Number(process.argv[5] ?? 100)
let blocks = 0, steps = 0, fail = 0
const one = async (seed: number) => {
  const scenario = planScenario({ seed, members: 4, tolerates: pbft.tolerates(4), faults: process.env['FAULTS'] ? (process.env['FAULTS'].split(',') as any) : [], requests, ledger, durationMs: 8000 })
  const r = await playScenario({ factory: pbft, options: { } }, scenario)
  blocks += r.blocks; steps += r.steps; if (r.failure) fail++
}
for (let s = 1; s <= warm; s++) await one(s)
blocks = steps = 0
const c0 = process.cpuUsage(); const t0 = performance.now()
for (let s = 1; s <= seeds; s++) await one(s)
const c = process.cpuUsage(c0); const cpu = (c.user + c.system) / 1e6
console.log(ledger, seeds, 'seeds; cpu s', cpu.toFixed(2), 'wall', ((performance.now() - t0)/1000).toFixed(2), 'per minute cpu', (seeds/cpu*60).toFixed(0), 'blocks/seed', blocks/seeds, 'steps/seed', steps/seeds, 'us/step', (cpu*1e6/steps).toFixed(1), 'fail', fail)
