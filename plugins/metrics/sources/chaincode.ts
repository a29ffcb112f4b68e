import type { PluginHost } from '../../../kernel/index.js'
import { CHAINCODE, CHAINCODE_COUNTERS, type CallCounters } from '../../chaincode/index.js'
import type { Metrics, Sample } from '../metrics.js'
import { distributionOf } from './distribution.js'

/** Chaincode: what runs, and its calls. */
export function addChaincodeMetrics(metrics: Metrics, peer: PluginHost): void {
  const counters = () => peer.find(CHAINCODE_COUNTERS)
  metrics.gauge({ name: 'peer_chaincode_running_chaincodes', help: 'Chaincodes that are connected or running.' }, () => peer.find(CHAINCODE)?.running().length)
  metrics.counter(
    { name: 'peer_chaincode_calls_total', help: 'Invokes and queries, those between chaincodes included, by result.', labels: ['kind', 'result'] },
    () => {
      const found = counters()
      return found && [...results('invoke', found.invoke), ...results('query', found.query)]
    },
  )
  metrics.histogram({ name: 'peer_chaincode_call_seconds', help: 'Duration of invokes and queries.', labels: ['kind'] }, () => {
    const found = counters()
    if (!found) return []
    return [distributionOf(found.invoke.durations, { kind: 'invoke' }), distributionOf(found.query.durations, { kind: 'query' })]
  })
  metrics.counter(
    { name: 'peer_chaincode_launches_total', help: 'Chaincodes that the peer started, at their deploy or anew, by result.', labels: ['result'] },
    () => {
      const found = counters()
      if (!found) return undefined
      const { launches, failedLaunches } = found
      return [
        { labels: { result: 'succeeded' }, value: launches - failedLaunches },
        { labels: { result: 'failed' }, value: failedLaunches },
      ]
    },
  )
  metrics.counter(
    { name: 'peer_chaincode_retries_total', help: 'Transactions executed once more because a chaincode was lost on this machine.' },
    () => counters()?.retries,
  )
}

function results(kind: string, { succeeded, failed, broken, timedOut }: CallCounters): Sample[] {
  return Object.entries({ succeeded, failed, broken, timedout: timedOut }).map(([result, value]) => ({ labels: { kind, result }, value }))
}
