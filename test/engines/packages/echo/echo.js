/** Uses every effect, time and randomness: for comparing where it runs. */
export const echo = ({ PeerError, shake256 }) => ({
  name: 'echo',
  version: '1.2.3',
  agreement: true,
  tolerates: (n) => ({ crashed: Math.floor((n - 1) / 2), byzantine: 0 }),
  parseOptions(raw) {
    const { greeting = 'hello', ...others } = raw
    if (Object.keys(others).length > 0) throw new PeerError('ERR_ENGINE_OPTIONS', `echo has no option ${Object.keys(others)[0]}`, { hint: 'there is greeting' })
    return { greeting, limit: 10n }
  },
  checkMembers({ greeting }, { length }) {
    if (greeting === 'all of you' && length === 1) throw new PeerError('ERR_ENGINE_OPTIONS', 'greeting: all of you are 1')
  },
  create(host, options, start) {
    host.log('info', `${options.greeting} at ${start.head.height} with ${[...start.restored.keys()].join()} of ${start.members.length}`)
    host.put('begun', shake256(new Uint8Array([1])))
    let count = 0
    return {
      onRequest(request) {
        host.broadcast(request.bytes, { vote: { slot: String(count), value: request.id } })
        host.deliver(`d${count++}`, [request], { metadata: new Uint8Array([count]), put: [['last', request.bytes]] })
        host.metric('random', host.random())
      },
      onMessage(from, bytes) {
        host.send(from, bytes.slice().reverse())
        host.status({ from, now: host.now, nested: { list: [1, null, 'x'] }, nothing: undefined })
        host.setTimer('tick', bytes[0] === 0 ? Number.POSITIVE_INFINITY : (bytes[0] ?? 0))
        host.verify('v', [{ member: from, bytes, signature: bytes }])
      },
      onPeer: (member, up) => host.log('debug', `${member} ${up}`),
      onTimer: (name) => host.sign(name, new Uint8Array([Math.floor(host.random() * 256)])),
      onExecuted: (tag, { stateHash, outcomes }) => host.commit(tag, stateHash ?? new Uint8Array(outcomes.length)),
      onDelivered: (tag, block) => host.log('info', `${tag} ${block === 'skipped' ? block : `${block.number} ${host.head.height}`}`),
      onTransferred: (result) => host.setValid(result.reached),
      onSigned: (token, signature) => host.put(token, signature),
      onVerified: (token, verdicts) => (verdicts[0] ? host.cancelTimer('tick') : host.delete('begun')),
      onSealed: (height) => host.transferTo({ height, hash: new Uint8Array([1, 2]), members: [1] }),
      dispose: () => host.log('info', 'bye'),
    }
  },
})
