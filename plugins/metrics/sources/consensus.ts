import type { PluginHost } from '../../../kernel/index.js'
import { CONSENSUS, CONSENSUS_FIGURES, type ConsensusCounters } from '../../consensus/index.js'
import type { Labels, Metrics, Sample } from '../metrics.js'

/** What an engine may report, so that its labels stay bounded. */
const MAX_FIGURES = 200
const MAX_NAME_CHARACTERS = 100

/** Requests, and the engine of the moment. */
export function addConsensusMetrics(metrics: Metrics, peer: PluginHost): void {
  const counted = (name: string, help: string, pick: (counters: ConsensusCounters) => number): void => {
    metrics.counter({ name: `peer_consensus_${name}_total`, help }, () => {
      const figures = peer.find(CONSENSUS_FIGURES)
      return figures && pick(figures.counters)
    })
  }
  counted('accepted', 'Transactions accepted and journaled here.', ({ accepted }) => accepted)
  counted('duplicates', 'Submissions of bytes that were waiting, or in the chain, already.', ({ duplicates }) => duplicates)
  counted('committed', 'Transactions accepted here, also before a restart, that got into a block.', ({ committed }) => committed)
  counted('rejected', 'Transactions accepted here, also before a restart, that were executed and failed.', ({ rejected }) => rejected)
  counted('dropped', 'Transactions accepted here that the engine forgot without executing them.', ({ dropped }) => dropped)
  metrics.counter(
    { name: 'peer_consensus_refused_total', help: 'Transactions refused at the door: no room, or no running engine.', labels: ['reason'] },
    () => {
      const counters = peer.find(CONSENSUS_FIGURES)?.counters
      return counters && [labelled('reason', 'overloaded', counters.refusedForRoom), labelled('reason', 'halted', counters.refusedHalted)]
    },
  )
  counted('diverged', 'Times that the chain here differed from that of the others, or theirs too much to tell.', ({ divergences }) => divergences)
  addEngineMetrics(metrics, peer)
}

function addEngineMetrics(metrics: Metrics, peer: PluginHost): void {
  const status = () => peer.find(CONSENSUS)?.status()
  metrics.gauge({ name: 'peer_consensus_pending_requests', help: 'Transactions accepted here that wait for their outcome.' }, () => status()?.pendingRequests)
  metrics.gauge({ name: 'peer_consensus_valid_boolean', help: '0 while the state is known to be behind, and queries are refused.' }, () => {
    const found = status()
    return found && Number(found.valid)
  })
  metrics.gauge({ name: 'peer_consensus_halted_boolean', help: '1 if no engine runs: it halted, or the peer is no validator.' }, () => {
    const found = status()
    return found && Number(found.halted !== undefined)
  })
  metrics.gauge({ name: 'peer_consensus_epoch_number', help: 'Epoch of the running engine.' }, () => {
    const found = status()
    return found && Number(found.epoch)
  })
  metrics.gauge({ name: 'peer_consensus_engine_info', help: 'Always 1; the labels say which engine runs.', labels: ['engine', 'version'] }, () => {
    const engine = status()?.engine
    return engine && [{ labels: { engine: engine.name, version: engine.version }, value: 1 }]
  })
  metrics.gauge({ name: 'peer_consensus_status_value', help: 'Numbers of the status that the engine shows, such as its view.', labels: ['field'] }, () => {
    const view = Object.entries(status()?.engineView ?? {})
    return view.flatMap(([field, value]) => (isNumeric(value) ? [labelled('field', field, Number(value))] : [])).slice(0, MAX_FIGURES)
  })
  metrics.gauge({ name: 'peer_consensus_engine_value', help: "The engine's own metrics, and the host's (host_...), by name.", labels: ['metric'] }, () =>
    [...(peer.find(CONSENSUS_FIGURES)?.metrics() ?? [])].slice(0, MAX_FIGURES).map(([name, value]) => labelled('metric', name, value)),
  )
}

function isNumeric(value: unknown): value is number | bigint | boolean {
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean'
}

function labelled(label: string, name: string, value: number): Sample {
  const labels: Labels = { [label]: name.slice(0, MAX_NAME_CHARACTERS) }
  return { labels, value }
}
