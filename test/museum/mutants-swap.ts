import type { FaultKind } from '../kit/index.js'
import type { Mutant } from './mutant.js'

const at = (file: string): { readonly specimen: 'swap'; readonly file: string; readonly swaps: number } => ({
  specimen: 'swap',
  file: `plugins/consensus/${file}.ts`,
  swaps: 3,
})
const DEAD: readonly FaultKind[] = ['dead', 'delay', 'partition', 'slow-disk']
const RESTARTS: readonly FaultKind[] = ['power', 'kill', 'blackout', 'stop']

const LIARS: readonly FaultKind[] = ['replay', 'replay', 'mutate', 'partition']

/** Broken copies of the swap, in the host. */
export const SWAP_MUTANTS: readonly Mutant[] = [
  {
    name: 'swap: sealed one block late',
    ...at('execution/deliveries'),
    find: "    if (sealedAt !== undefined) this.seal()\n    answer({ type: 'delivered'",
    replace: "    if (this.isDue) this.seal()\n    this.isDue = sealedAt !== undefined\n    answer({ type: 'delivered'",
    why: 'the engine of the epoch before makes one more block',
    kind: 'safety',
  },
  {
    name: 'swap: two engines deliver',
    ...at('execution/deliveries'),
    find: "    if (sealedAt !== undefined) this.seal()\n    answer({ type: 'delivered'",
    replace: "    answer({ type: 'delivered'",
    why: 'the engine of the epoch before goes on making blocks',
    kind: 'safety',
  },
  {
    name: 'swap: the old engine is stopped at the seal',
    ...at('epochs/epochs'),
    find: '      const needed = this.before.seal(old, record)\n',
    replace: '      const needed = 0\n      await old.session.dispose()\n      await old.records.clear()\n',
    why: 'whoever has not committed the activation block has nobody to do it with',
    kind: 'liveness',
    faults: DEAD,
  },
  {
    name: 'swap: what is pending is forgotten at the crossing',
    ...at('epochs/epochs'),
    find: "for (const request of this.openRequests(live)) if (!this.isCall(request)) live.session.post({ type: 'request', request })",
    replace: 'return',
    why: 'requests that waited for the epoch to start are not given to its engine',
    kind: 'liveness',
  },
  {
    name: 'swap: markers are not awaited',
    ...at('swap/records'),
    find: 'started.length >= markersNeeded',
    replace: 'markersNeeded >= 0',
    why: 'blocks of the new epoch hold transactions before enough members run its engine',
    kind: 'safety',
  },
  {
    name: 'swap: a restart begins with the engine of the site',
    ...at('epochs/epochs'),
    find: '    const record = chain.refresh()\n    if (this.entered',
    replace: '    const record = turn === 1 ? chain.genesis : chain.refresh()\n    if (this.entered',
    why: 'the engine is what a file says, not what the chain says',
    faults: RESTARTS,
  },
  {
    name: "swap: an epoch's engine gets the records of the first",
    ...at('epochs/epochs'),
    find: 'createEngineRecords(store, record.epoch)\n    const restored',
    replace: 'createEngineRecords(store, 0n)\n    const restored',
    why: 'records of another engine are restored',
    faults: RESTARTS,
  },
  {
    name: "swap: the engine is told another epoch's metadata",
    ...at('execution/block-metadata'),
    find: '(epoch > 0n && (activation === undefined || last <= activation))',
    replace: '(epoch > 0n && activation === undefined)',
    why: 'a new engine takes the position of the old one for its own',
  },
  {
    name: 'swap: deadlines are ignored',
    ...at('swap/driver'),
    find: '    this.options.cancel(course.candidate, reason)\n',
    replace: '',
    why: 'a swap whose candidate fails its trial is never over',
    kind: 'liveness',
  },
  {
    name: 'swap: who is behind is not brought up',
    ...at('chain/common-chain'),
    find: '    this.replaceEngine(ahead, false)\n',
    replace: '',
    why: 'a validator that slept through a swap has no engine to wake up with',
    kind: 'liveness',
    faults: ['partition', 'kill', 'stop', 'power'],
  },
  {
    name: 'swap: a swap prepared inside a swap takes the place of the first',
    ...at('swap/contract'),
    find: '  if (pending) throw',
    replace: '  if (pending && pending.readies.length > 99) throw',
    why: 'those who are ready for the first are ready for nothing',
    kind: 'safety',
  },
  {
    name: 'swap: a cancel after the seal is accepted',
    ...at('swap/contract'),
    find: '  requireEpoch(call.fromEpoch, current)\n  const candidate = requireCandidate(state, call.candidate)\n  if (call.byOperator) {',
    replace:
      '  if (Buffer.compare(current.candidate, call.candidate) === 0) return putNewEpoch(state, { ...current, epoch: call.fromEpoch })\n' +
      '  requireEpoch(call.fromEpoch, current)\n  const candidate = requireCandidate(state, call.candidate)\n  if (call.byOperator) {',
    why: 'what is decided is taken back, while validators run the new engine',
    kind: 'safety',
  },
  {
    name: 'swap: what was rejected is forgotten',
    ...at('execution/rejected-requests'),
    find: '>= this.ledger.height() ? block : undefined',
    replace: '>= this.ledger.height() ? undefined : block',
    why: 'a request that was executed in vain is executed again in the next epoch',
    kind: 'safety',
  },
  {
    name: 'swap: what was rejected is forgotten by who took its block from others',
    ...at('execution/rejected-requests'),
    find: 'this.write(batch, next, metadataOf(this.ledger, next, false).rejected, ',
    replace: 'this.write(batch, next, [], ',
    why: 'a validator that was away executes what the others leave out: their blocks part',
    kind: 'safety',
    faults: ['partition', 'partition', 'stop', 'kill'],
    swaps: 5,
  },
  {
    name: 'swap: what was rejected before is offered again',
    ...at('host'),
    find: 'committedReport(ledger, request, transaction) ?? this.rejectedReport(request)',
    replace: 'committedReport(ledger, request, transaction)',
    why: 'a validator that was away waits for ever for what the others remember, and gives up its primary',
    kind: 'liveness',
    faults: ['stop', 'stop', 'partition', 'kill'],
    swaps: 5,
  },
  {
    name: 'swap: early messages are dropped',
    ...at('epochs/engine-mail'),
    find: 'else if (epoch === present || epoch === present + 1n) this.early.add(epoch, from, message)',
    replace: 'else if (epoch === present || epoch === present + 1n) return',
    why: 'what is said to an engine that begins a moment later never gets there, and nobody is told of a gap',
    kind: 'contract',
  },
  {
    name: 'swap: late messages get to the new engine',
    ...at('epochs/engine-mail'),
    find: 'epoch === 0n ? undefined : engineOf(epoch)\n',
    replace: 'epoch === 0n ? undefined : (engineOf(epoch) ?? engineOf(present))\n',
    why: 'an engine is told what another one said',
    kind: 'contract',
    swaps: 5,
  },
  {
    name: 'swap: late messages of the first epoch get to the new engine',
    ...at('epochs/engine-mail'),
    find: 'const engine = this.options.engineOf(0n)\n',
    replace: 'const engine = this.options.engineOf(0n) ?? this.options.engineOf(this.options.present())\n',
    why: 'an engine is told what another one said',
    kind: 'contract',
  },
  {
    name: 'swap: the pre-flight overlooks who refuses',
    ...at('swap/swaps'),
    find: "return faults.length === 0 ? undefined : faults.join('; ')",
    replace: "return faults.length >= 0 ? undefined : faults.join('; ')",
    why: 'a swap is proposed to an engine that a validator has not got',
    kind: 'contract',
  },
  {
    name: 'swap: repetitions are executed',
    ...at('execution/execution'),
    specimen: 'swap of liars',
    find: 'if (!this.executesRepetitions && this.isRepeated(bytes, transaction)) return true',
    replace: 'if (this.executesRepetitions && this.isRepeated(bytes, transaction)) return true',
    why: 'a liar has executed again what an engine of an earlier epoch had ordered',
    kind: 'safety',
    faults: LIARS,
  },
  {
    name: 'swap: an engine is derived from state that nobody has verified',
    ...at('epochs/epochs'),
    specimen: 'swap of liars',
    file: 'test/kit/logical-ledger.ts',
    find: '    if (!this.#isStateOf(added)) return false\n',
    replace: '',
    why: 'whoever asks a liar for its state runs the engine that the liar names',
    faults: ['wipe', 'partition', 'stop', 'kill', 'mutate'],
  },
]

const inContract = (name: string, find: string, replace: string, why: string): ContractMutant => ({
  name: `contract: ${name}`,
  file: 'plugins/consensus/swap/contract.ts',
  find,
  replace,
  why,
})

/** A broken copy of the rules of succession. */
export type ContractMutant = Pick<Mutant, 'name' | 'file' | 'find' | 'replace' | 'why'>

export const CONTRACT_MUTANTS: readonly ContractMutant[] = [
  inContract(
    'a ready is counted twice',
    'if (candidate.readies.some(({ member }) => member === call.member))',
    'if (candidate.readies.length > 99)',
    'one validator decides a swap',
  ),
  inContract(
    'digests need not be equal',
    'readies.filter(({ probe }) => Buffer.compare(probe, call.probe) === 0)',
    'readies.filter(({ probe }) => probe.length > 0)',
    'an engine that orders differently everywhere passes its trial',
  ),
  inContract(
    'a cancel is counted twice',
    'if (candidate.cancels.includes(call.member))',
    'if (candidate.cancels.length > 99)',
    'one validator stops every swap',
  ),
  inContract('one cancel is enough', 'cancels.length > faultsOf(current)', 'cancels.length > 0', 'one validator stops every swap'),
  inContract(
    'a cancel after the seal',
    '  requireEpoch(call.fromEpoch, current)\n  const candidate = requireCandidate(state, call.candidate)\n  if (call.byOperator) {',
    '  if (Buffer.compare(current.candidate, call.candidate) === 0) return putNewEpoch(state, { ...current, epoch: call.fromEpoch })\n' +
      '  requireEpoch(call.fromEpoch, current)\n  const candidate = requireCandidate(state, call.candidate)\n  if (call.byOperator) {',
    'what is decided is taken back',
  ),
  inContract('used proposals are not remembered', 'if (proposal.number !== seen)', 'if (proposal.number > seen)', 'an old wish comes true once more'),
  inContract(
    'the epoch is not compared',
    '  if (fromEpoch !== epoch) throw',
    '  if (fromEpoch > epoch + 9n) throw',
    'a call of yesterday changes the engine of today',
  ),
  inContract(
    'one ready less is enough',
    'if (alike.length < rules.members.length - faultsOf(current))',
    'if (alike.length < rules.members.length - faultsOf(current) - 1)',
    'an engine that too few can run',
  ),
  inContract(
    'the activation block is the next one',
    '    activation: rules.height(),',
    '    activation: rules.height() + 1n,',
    'the old engine makes one more block',
  ),
  inContract(
    'two swaps at a time',
    '  if (pending) throw',
    '  if (pending && pending.readies.length > 99) throw',
    'a prepared swap is replaced under the eyes of those who are ready for it',
  ),
  inContract(
    'a marker is counted twice',
    'if (current.started.includes(call.member))',
    'if (current.started.length > 99)',
    'an epoch starts with one validator',
  ),
]
