import { describe, it } from 'vitest'
import { pbft } from '../../plugins/pbft/index.js'
import { runScenario } from '../simulator/scenario.js'
const N = Number(process.env['SEEDS'] ?? 20), FROM = Number(process.env['FROM'] ?? 1), M = Number(process.env['M'] ?? 4)
const lines: string[] = []
const show = (host: any, k: string, a: any[]) => { if (N === 1 && a[0] !== 'tick') lines.push(`${host.now % 100000} vp${host.self} ${k} ` + a.map(x => x instanceof Uint8Array ? x.length : JSON.stringify(x, (_k, v) => typeof v === 'bigint' ? String(v) : v instanceof Uint8Array ? v.length : v)).join(' ')) }
const factory = { ...pbft, create(host: any, o: any, s: any) {
  const h: any = {}
  for (const k of Object.keys(host)) { const d = Object.getOwnPropertyDescriptor(host, k)!
    if (d.get || typeof d.value !== 'function') Object.defineProperty(h, k, { get: () => host[k] })
    else if (['send','broadcast','deliver','transferTo','setTimer','cancelTimer','log','halt'].includes(k)) h[k] = (...a: any[]) => { show(host, k, a); return host[k](...a) }
    else h[k] = host[k] }
  return pbft.create(h, o, s) },
parseOptions: (_: unknown) => pbft.parseOptions({ 'timeout.batch': '200ms', 'timeout.request': '400ms', 'timeout.viewchange': '400ms', 'timeout.resendviewchange': '400ms', K: Number(process.env['K'] ?? 2), logmultiplier: Number(process.env['LM'] ?? 4) }) }
describe('smoke', () => { it('runs', async () => {
  let fails = 0
  for (let seed = FROM; seed < FROM + N; seed++) {
    try { await runScenario(factory, { seed, members: M, transactions: 12, crashes: 2, breaks: seed % 2 === 0, blackout: seed % 3 === 0, patienceMs: 20000, trace: N === 1 }) }
    catch (e) { fails++; console.log('seed', seed, String(e).slice(0, 1800)) ; if (fails > 3) break }
  }
  if (N === 1) { (await import('node:fs')).writeFileSync('/tmp/lines.txt', lines.join('\n')) } ; console.log('fails', fails)
}, 600000) })
